//! The yardstick: an empty poem handler.

use std::net::SocketAddr;

use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::{Route, Server, handler, post};

#[handler]
fn empty() {}

/// Serves until it is killed; prints its address first.
pub(crate) async fn serve(listen: SocketAddr) -> anyhow::Result<()> {
    let acceptor = TcpListener::bind(listen).into_acceptor().await?;
    for address in acceptor.local_addr() {
        println!("{}", address.0);
    }
    Server::new_with_acceptor(acceptor)
        .run(Route::new().at("/webhook", post(empty)))
        .await?;
    Ok(())
}
