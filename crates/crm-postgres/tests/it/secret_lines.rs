//! TLS: which certificates are taken at which `sslmode`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crm_postgres::PostgresStore;
use crm_testkit::postgres::Cluster;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use crate::common::{company, options, run};

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server whose certificate names `localhost`, and the file of who signed it.
fn server(folder: &Path) -> (Cluster, PathBuf) {
    let authority = authority();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let roots = folder.join("ca.pem");
    fs::write(&roots, authority.as_ref().pem()).unwrap();
    let cluster = Cluster::start();
    for (name, text) in [
        ("server.crt", certificate.pem()),
        ("server.key", key.serialize_pem()),
    ] {
        let source = folder.join(name);
        fs::write(&source, text).unwrap();
        let mut install = Command::new("install");
        install
            .args(["-m", "0600"])
            .arg("--owner")
            .arg(owner(&cluster.data()));
        let installed = install.arg(&source).arg(cluster.data().join(name)).status();
        assert!(installed.unwrap().success());
    }
    cluster.sql("postgres", "ALTER SYSTEM SET ssl = on");
    cluster.reload();
    (cluster, roots)
}

fn owner(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).unwrap().uid().to_string()
}

#[test]
fn a_certificate_is_asked_for_as_much_as_sslmode_says() {
    run(async {
        let folder = TempDir::new().unwrap();
        let (cluster, roots) = server(folder.path());
        let others = folder.path().join("others.pem");
        fs::write(&others, authority().as_ref().pem()).unwrap();
        let (roots, others) = (roots.display(), others.display());
        let open = |host: &str, rest: &str| {
            let url = format!("postgres://crm@{host}:{}/crm?{rest}", cluster.port());
            PostgresStore::open(options(&url))
        };
        for (host, rest) in [
            ("localhost", format!("sslmode=verify-full&sslrootcert={roots}")),
            ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={roots}")),
            ("127.0.0.1", format!("sslmode=require&sslrootcert={roots}")),
            ("127.0.0.1", "sslmode=require".to_owned()),
            ("127.0.0.1", String::new()),
            ("127.0.0.1", "sslmode=disable".to_owned()),
        ] {
            let store = open(host, &rest).unwrap_or_else(|error| panic!("{host} {rest}: {error:?}"));
            // The store, and nobody else here, is connected.
            let secret = "SELECT bool_and(ssl)::text FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                          WHERE application_name = 'crm-test'";
            let expected = if rest == "sslmode=disable" {
                "false"
            } else {
                "true"
            };
            assert_eq!(cluster.sql("crm", secret), expected, "{rest}");
            drop(store);
            let gone = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'crm-test'";
            while cluster.sql("crm", gone) != "0" {}
        }
        for (host, rest) in [
            ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={roots}")),
            ("localhost", format!("sslmode=verify-full&sslrootcert={others}")),
            ("localhost", format!("sslmode=verify-ca&sslrootcert={others}")),
            ("localhost", "sslmode=verify-full".to_owned()),
            (
                "localhost",
                "sslmode=verify-full&sslrootcert=/nowhere.pem".to_owned(),
            ),
        ] {
            let Err(error) = open(host, &rest) else {
                panic!("{host} {rest} was opened")
            };
            let told = std::error::Error::source(&error).unwrap().to_string();
            assert!(told.contains("certificate"), "{told}");
        }
    });
}

#[test]
fn a_server_without_tls_is_refused_when_it_is_required() {
    run(async {
        let cluster = Cluster::start();
        let url = |mode: &str| format!("postgres://crm@127.0.0.1:{}/crm?sslmode={mode}", cluster.port());
        assert!(PostgresStore::open(options(&url("require"))).is_err());
        let store = PostgresStore::open(options(&url("prefer"))).unwrap();
        assert!(company(&store, "表なし").await.is_err());
    });
}
