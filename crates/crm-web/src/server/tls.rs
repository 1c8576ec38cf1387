//! TLS of our own, for whoever has no proxy in front: the certificate and its key from two files, taken again when they
//! change, so that a renewal needs no restart.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use super::Stop;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The pair cannot be used; the sentence names the file, the setting and what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error(
        "{setting} のファイル {path} を読めません（{source}）。場所と権限を確かめてください。\
         (The file {path} of {setting} cannot be read; check the place and the permissions.)"
    )]
    Unreadable {
        /// The setting that names it.
        setting: &'static str,
        /// Which.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error(
        "{setting} のファイル {path} に{what_ja}がありません。PEM形式のファイルを指定してください。\
         (The file {path} of {setting} holds no {what_en}; name a file in PEM.)"
    )]
    Empty {
        /// The setting that names it.
        setting: &'static str,
        /// Which.
        path: String,
        /// What is missing, in Japanese.
        what_ja: &'static str,
        /// The same in English.
        what_en: &'static str,
    },
    /// The key is of another certificate, or of a kind that nobody uses.
    #[error(
        "{KEY} の秘密鍵は {CERTIFICATE} の証明書のものではないか、使えない種類です（{0}）。対になる2つのファイルを指定してください。\
         (The key of {KEY} does not belong to the certificate of {CERTIFICATE}, or is of a kind that cannot be used; name the two files of one pair.)"
    )]
    NoPair(rustls::Error),
    /// The library does not offer what we ask of it.
    #[error("TLSを準備できません（{0}）。(TLS cannot be prepared.)")]
    Unusable(rustls::Error),
}

/// The setting that names the file of the certificate and those above it.
const CERTIFICATE: &str = "CRM_TLS_CERT";
/// The setting that names the file of its key.
const KEY: &str = "CRM_TLS_KEY";

/// The two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairFiles {
    /// The certificate, followed by those above it, in PEM.
    pub certificate: PathBuf,
    /// Its private key in PEM.
    pub key: PathBuf,
}

/// TLS with a pair that can be exchanged while it is in use.
#[derive(Clone)]
pub struct Tls {
    files: PairFiles,
    pair: Arc<Current>,
    config: Arc<ServerConfig>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the pair.
    pub fn load(files: PairFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let pair = Arc::new(Current(RwLock::new(Arc::new(read_pair(&files, &provider)?))));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Current>::clone(&pair));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            files,
            pair,
            config: Arc::new(config),
        })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }

    /// Takes the pair again whenever its files have changed, until the stop. A pair that cannot be used leaves the one before
    /// in use, and the log says why.
    pub async fn keep_current(self, stop: Stop) {
        let mut used = self.stamp().await;
        let mut seen = used.clone();
        loop {
            tokio::select! {
                () = stop.said() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let now = self.stamp().await;
            // Two files are not exchanged at once: only what stands still is taken.
            let settled = now == seen;
            seen = now;
            if settled && seen != used {
                used = seen.clone();
                self.take_again().await;
            }
        }
    }

    async fn take_again(&self) {
        let files = self.files.clone();
        let provider = Arc::clone(self.config.crypto_provider());
        let read = tokio::task::spawn_blocking(move || read_pair(&files, &provider)).await;
        match read {
            Ok(Ok(pair)) => {
                *self.pair.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pair);
                tracing::info!("the certificate has changed and is in use from now on");
            }
            Ok(Err(error)) => {
                tracing::error!("the new certificate is not used, the one before stays: {error}");
            }
            Err(_) => tracing::error!("the new certificate could not be looked at, the one before stays"),
        }
    }

    /// What the files look like from outside.
    async fn stamp(&self) -> [Stamp; 2] {
        [
            Stamp::of(&self.files.certificate).await,
            Stamp::of(&self.files.key).await,
        ]
    }
}

/// When a file was written, and how long it is; a file that is not there has none.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp(Option<(SystemTime, u64)>);

impl Stamp {
    async fn of(path: &Path) -> Self {
        let found = tokio::fs::metadata(path).await;
        Self(
            found
                .ok()
                .and_then(|found| Some((found.modified().ok()?, found.len()))),
        )
    }
}

/// The pair in use.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read_pair(files: &PairFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let text = read(CERTIFICATE, &files.certificate)?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, pem::Error>>()
        .unwrap_or_default();
    if chain.is_empty() {
        return Err(empty(CERTIFICATE, &files.certificate, "証明書", "certificate"));
    }
    let text = read(KEY, &files.key)?;
    let key =
        PrivateKeyDer::from_pem_slice(&text).map_err(|_| empty(KEY, &files.key, "秘密鍵", "private key"))?;
    // Also compares the two.
    CertifiedKey::from_der(chain, key, provider).map_err(TlsError::NoPair)
}

fn read(setting: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Unreadable {
        setting,
        path: path.display().to_string(),
        source,
    })
}

fn empty(setting: &'static str, path: &Path, what_ja: &'static str, what_en: &'static str) -> TlsError {
    TlsError::Empty {
        setting,
        path: path.display().to_string(),
        what_ja,
        what_en,
    }
}
