//! Every route, for whom.

use crm_domain::members::Role;

use crate::harness::{Ask, TestServer};

/// Method, path, and the status for: nobody, a member, an administrator.
const TABLE: [(&str, &str, [u16; 3]); 8] = [
    ("GET", "/", [303, 303, 303]),
    ("GET", "/login", [200, 303, 303]),
    ("GET", "/nowhere", [404, 404, 404]),
    ("GET", "/assets/x/nothing.css", [404, 404, 404]),
    ("GET", "/healthz", [200, 200, 200]),
    ("GET", "/api/v1/customers", [401, 200, 200]),
    ("GET", "/api/v1/companies", [401, 200, 200]),
    ("GET", "/api/v1/openapi.json", [200, 200, 200]),
];

#[tokio::test]
async fn each_route_is_for_whom_it_is() {
    let server = TestServer::start().await;
    let mut readers = [
        server.browser(),
        server.signed_in(Role::Member).await,
        server.signed_in(Role::Admin).await,
    ];
    for (method, path, statuses) in TABLE {
        for (reader, status) in readers.iter_mut().zip(statuses) {
            let answer = reader.send(Ask::new(method, path)).await;
            assert_eq!(answer.status, status, "{method} {path}");
        }
    }
}
