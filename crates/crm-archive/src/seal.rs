//! The outermost layer: nothing, or age with a passphrase; and the layer below it, which proves that nothing was changed.

use std::io::{self, Read, Write};

use age::scrypt::{Identity, Recipient};
use age::{DecryptError, Decryptor, Encryptor};
use ring::digest::{Context, SHA256};
use secrecy::{ExposeSecret, SecretString};

use crate::error::{ArchiveError, Place};
use crate::hashing::{Sha256, digest};

/// A passphrase; shown to nobody.
#[derive(Debug, Clone)]
pub struct Passphrase(SecretString);

impl Passphrase {
    /// The fewest characters.
    pub const SHORTEST: usize = 12;

    /// Takes the text without the blanks and line ends around it; `None` if it is too short to protect anything.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (text.chars().count() >= Self::SHORTEST).then(|| Self(SecretString::from(text.to_owned())))
    }

    fn secret(&self) -> age::secrecy::SecretString {
        age::secrecy::SecretString::from(self.0.expose_secret().to_owned())
    }
}

/// The work of deriving the key: 2^16 is about a quarter of a second, and what age's own program opens without asking.
const WORK: u8 = 16;
/// What is refused of foreign files, so that nobody waits for hours.
const MOST_WORK: u8 = 20;
/// How files of age begin.
const AGE: &[u8] = b"age-encryption.org/";

/// Whether a file that begins so is encrypted.
pub(crate) fn is_age(beginning: &[u8]) -> bool {
    beginning.starts_with(AGE)
}

/// How many bytes tell.
pub(crate) const TELLING: usize = AGE.len();

/// Where bytes go, encrypted or not.
pub(crate) enum Outer<W: Write> {
    Plain(W),
    Sealed(Box<age::stream::StreamWriter<W>>),
}

impl<W: Write> Outer<W> {
    pub(crate) fn new(out: W, passphrase: Option<&Passphrase>) -> Result<Self, ArchiveError> {
        let Some(passphrase) = passphrase else {
            return Ok(Self::Plain(out));
        };
        let mut recipient = Recipient::new(passphrase.secret());
        recipient.set_work_factor(WORK);
        let encryptor = Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
            .map_err(io::Error::other)?;
        Ok(Self::Sealed(Box::new(encryptor.wrap_output(out)?)))
    }

    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(out) => Ok(out),
            Self::Sealed(out) => out.finish(),
        }
    }
}

impl<W: Write> Write for Outer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Sealed(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Sealed(out) => out.flush(),
        }
    }
}

/// What is behind the passphrase.
pub(crate) fn opened<'a>(
    file: impl Read + 'a,
    passphrase: Option<&Passphrase>,
) -> Result<Box<dyn Read + 'a>, ArchiveError> {
    let passphrase = passphrase.ok_or(ArchiveError::PassphraseMissing)?;
    let mut identity = Identity::new(passphrase.secret());
    identity.set_max_work_factor(MOST_WORK);
    let decryptor = Decryptor::new(file).map_err(of_age)?;
    let plain = decryptor
        .decrypt(std::iter::once(&identity as &dyn age::Identity))
        .map_err(of_age)?;
    Ok(Box::new(plain))
}

fn of_age(error: DecryptError) -> ArchiveError {
    match error {
        DecryptError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => ArchiveError::Io(error),
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed | DecryptError::NoMatchingKeys => {
            ArchiveError::PassphraseWrong
        }
        error => ArchiveError::broken(Place::Beginning, error),
    }
}

/// A skippable frame of zstd: magic, length, our mark, the hash.
const FRAME: [u8; 4] = [0x5a, 0x2a, 0x4d, 0x18];
const MARK: &[u8; 16] = b"crm-backup/1\0\0\0\0";
/// Bytes of the frame at the end.
pub(crate) const TRAILER: usize = 4 + 4 + MARK.len() + 32;

pub(crate) fn trailer(hash: &Sha256) -> Vec<u8> {
    let length = u32::try_from(MARK.len() + hash.len()).unwrap_or_default();
    [&FRAME[..], &length.to_le_bytes(), MARK, hash].concat()
}

/// Hands on what comes before the trailer, and proves at the end that it is the same that was written.
pub(crate) struct Proving<R> {
    inner: R,
    context: Option<Context>,
    /// Read, but not handed on yet: the last bytes may be the trailer.
    held: Vec<u8>,
    ended: bool,
}

impl<R: Read> Proving<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            context: Some(Context::new(&SHA256)),
            held: Vec::new(),
            ended: false,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut part = vec![0; 64 * 1024];
        while !self.ended && self.held.len() <= TRAILER {
            let count = match self.inner.read(&mut part) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            self.held.extend_from_slice(part.get(..count).unwrap_or_default());
            if count == 0 {
                self.ended = true;
                self.prove()?;
            }
        }
        Ok(())
    }

    fn prove(&mut self) -> io::Result<()> {
        let hash = self.context.take().map(digest).unwrap_or_default();
        if self.held == trailer(&hash) {
            return Ok(());
        }
        Err(changed())
    }
}

/// The kind by which it is recognised again.
pub(crate) fn changed() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "its bytes are not those that were written: changed, cut off or something appended",
    )
}

impl<R: Read> Read for Proving<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.fill()?;
        if self.ended {
            return Ok(0);
        }
        let free = self.held.len() - TRAILER;
        let count = free.min(buffer.len());
        let (now, later) = self.held.split_at(count);
        if let (Some(place), Some(context)) = (buffer.get_mut(..count), self.context.as_mut()) {
            place.copy_from_slice(now);
            context.update(now);
        }
        self.held = later.to_vec();
        Ok(count)
    }
}
