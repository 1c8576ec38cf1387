//! Where the server listens, and what it is called from outside.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::ip_range::IpRange;
use super::problem::Fault;
use super::public_url::PublicUrl;
use super::reader::{Reader, list, number};

/// Addresses and names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenSettings {
    /// Where pages, API and callbacks are served.
    pub address: SocketAddr,
    /// A second address that serves only `/webhook` and `/healthz`.
    pub callback_address: Option<SocketAddr>,
    /// What browsers call it; never empty, the first is used in links.
    pub public_urls: Vec<PublicUrl>,
    /// Whose `X-Forwarded-For` and `-Proto` are believed.
    pub trusted_proxies: Vec<IpRange>,
    /// TLS of our own; `None`: a proxy in front speaks https.
    pub tls: Option<TlsSettings>,
    /// Connections at once of one address that is no trusted proxy.
    pub connections_per_address: u32,
}

/// Connections of one address when nothing is said.
const CONNECTIONS: u32 = 256;

/// The files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// The certificate, followed by those above it, in PEM.
    pub certificate: PathBuf,
    /// Its private key in PEM.
    pub key: PathBuf,
}

/// Where this machine's own browser finds it; a port that the system chooses is not known yet.
fn said_port(address: SocketAddr) -> u16 {
    match address.port() {
        0 => 3000,
        port => port,
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> ListenSettings {
    let default = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 3000));
    let address = reader.parsed("CRM_LISTEN", default, socket_address);
    let callback_address = reader.optional("CRM_CALLBACK_LISTEN", socket_address);
    if callback_address == Some(address) {
        reader.fault("CRM_CALLBACK_LISTEN", Fault::SameAddress { other: "CRM_LISTEN" });
    }
    let tls = tls(reader);
    let public_urls = reader.parsed("CRM_PUBLIC_URL", Vec::new(), |text| list(text, PublicUrl::parse));
    ListenSettings {
        address,
        callback_address,
        public_urls: if public_urls.is_empty() {
            vec![PublicUrl::on_this_machine(said_port(address), tls.is_some())]
        } else {
            public_urls
        },
        trusted_proxies: reader.parsed("CRM_TRUSTED_PROXIES", Vec::new(), |text| {
            list(text, IpRange::parse)
        }),
        tls,
        connections_per_address: reader
            .parsed("CRM_CONNECTIONS_PER_ADDRESS", CONNECTIONS, |text| number(text, 8)),
    }
}

/// Both files or none.
fn tls(reader: &mut Reader<'_>) -> Option<TlsSettings> {
    let (certificate, key) = (reader.text("CRM_TLS_CERT"), reader.text("CRM_TLS_KEY"));
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some(TlsSettings {
            certificate: certificate.into(),
            key: key.into(),
        }),
        (Some(_), None) => {
            reader.fault(
                "CRM_TLS_KEY",
                Fault::NeededBy {
                    other: "CRM_TLS_CERT",
                },
            );
            None
        }
        (None, Some(_)) => {
            reader.fault("CRM_TLS_CERT", Fault::NeededBy { other: "CRM_TLS_KEY" });
            None
        }
        (None, None) => None,
    }
}

/// `ADDRESS:PORT`; a bare port and `localhost` are understood too.
fn socket_address(text: &str) -> Result<SocketAddr, Fault> {
    let fault = || Fault::NotAnAddress {
        given: text.to_owned(),
    };
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) = match text.rsplit_once(':') {
        Some(parts) => parts,
        None => ("", text),
    };
    let port = port.parse::<u16>().map_err(|_| fault())?;
    match host {
        "" | "*" => Ok((Ipv4Addr::UNSPECIFIED, port).into()),
        "localhost" => Ok((Ipv4Addr::LOCALHOST, port).into()),
        _ => Err(fault()),
    }
}
