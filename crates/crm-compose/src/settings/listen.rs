//! Where the server listens, and what it is called from outside.

use std::net::{Ipv4Addr, SocketAddr};

use super::ip_range::IpRange;
use super::problem::Fault;
use super::public_url::PublicUrl;
use super::reader::{Reader, list};

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
}

pub(super) fn read(reader: &mut Reader<'_>) -> ListenSettings {
    let default = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 3000));
    let address = reader.parsed("CRM_LISTEN", default, socket_address);
    let callback_address = reader.optional("CRM_CALLBACK_LISTEN", socket_address);
    if callback_address == Some(address) {
        reader.fault("CRM_CALLBACK_LISTEN", Fault::SameAddress { other: "CRM_LISTEN" });
    }
    let public_urls = reader.parsed("CRM_PUBLIC_URL", Vec::new(), |text| list(text, PublicUrl::parse));
    ListenSettings {
        address,
        callback_address,
        public_urls: if public_urls.is_empty() {
            vec![PublicUrl::on_this_machine(3000)]
        } else {
            public_urls
        },
        trusted_proxies: reader.parsed("CRM_TRUSTED_PROXIES", Vec::new(), |text| {
            list(text, IpRange::parse)
        }),
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
