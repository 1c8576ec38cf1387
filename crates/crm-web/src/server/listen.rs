//! Taking an address, or saying why not.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// How many connections the system may keep waiting for us.
const BACKLOG: u32 = 1024;

/// An address cannot be listened on; the sentence names the setting to change.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another program, or another start of this one, has the port.
    #[error(
        "ポート{port}は使用中です。使っているプログラムを終了するか、{setting} で別の番号を指定してください。\
         (Port {port} is in use. End the program that uses it, or set {setting} to another one.)"
    )]
    Taken {
        /// The port.
        port: u16,
        /// The setting that holds the address.
        setting: &'static str,
    },
    /// The system does not let us.
    #[error(
        "{address} で待ち受けできません（{source}）。{setting} を確認してください。(Cannot listen on {address}; see {setting}.)"
    )]
    Refused {
        /// The address.
        address: SocketAddr,
        /// The setting that holds it.
        setting: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// Listens on `address`; `setting` is the name of the setting that it came from.
pub fn bind(address: SocketAddr, setting: &'static str) -> Result<TcpListener, ListenError> {
    open(address).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ListenError::Taken {
            port: address.port(),
            setting,
        },
        _ => ListenError::Refused {
            address,
            setting,
            source,
        },
    })
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // Lets a restarted server take its port while old connections linger; two listeners still exclude each other.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
