//! The program; everything it does is in the library, so that tests can use it too.

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    crm_bench::run().await
}
