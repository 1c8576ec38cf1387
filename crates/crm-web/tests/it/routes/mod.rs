//! Every route × method × reader, and that no route is without its line.
//!
//! A NEW ROUTE: add one line for each of its methods to `table.rs`; until then `every_route_has_its_line` fails and names it.
//! The line says what the route needs of whoever asks; the tests then ask as everybody (`readers.rs`) for a record that is
//! there, for one that is not and for one that the reader may not see, and compare the answer with `permissions.rs`:
//! - `Row::get("/path", Needs::…)`, `Row::post("/path", Needs::…)`; `Needs::Act(Action::…)` is the usual one.
//! - `.about(About::Customer)` when the path holds an id: which record to make for `:id`. A kind of record that is not there
//!   yet gets its variant and a few lines in `records.rs`.
//! - `.form(&[("field", "value")])` or `.json("…")`: data with which the request would succeed, because a refused form
//!   (422) must not hide whether a record is there. `{customer}`, `{user}` and `{id}` stand for the record's.
//! - `.as_json()` when the route answers 401 instead of leading to the sign-in page.
//! - `.ends_session()` when the reader is signed out afterwards.
mod controls;
mod headers;
mod hidden;
mod logged;
mod mounted;
mod readers;
mod records;
mod table;

use std::collections::BTreeSet;

use crate::harness::{Answer, Ask, Setup, TestServer};
use readers::{Allowed, Reader};
use records::{Record, Records};
use table::{About, Needs, Row, TABLE};

/// What is said of a record that is there.
const THERE: &str = "there";

/// A number that nothing has.
const UNKNOWN: &str = "999999";

/// Fast enough for all of it; the simulator's customers get some messages.
fn setup() -> Setup {
    Setup::default().with("LINE_WORKS_RATE_LIMIT", "60000")
}

#[test]
fn every_route_has_its_line() {
    let lines: BTreeSet<String> = TABLE.iter().map(Row::name).collect();
    assert_eq!(lines.len(), TABLE.len(), "a route has two lines");
    let mounted = mounted::routes();
    let without: Vec<_> = mounted.difference(&lines).collect();
    let gone: Vec<_> = lines.difference(&mounted).collect();
    assert!(
        without.is_empty() && gone.is_empty(),
        "routes without a line in tests/it/routes/table.rs: {without:#?}; lines without a route: {gone:#?}"
    );
}

#[tokio::test]
async fn each_route_is_for_whom_it_is() {
    let server = TestServer::start_with(setup()).await;
    let records = Records::new(&server);
    let mut readers = Reader::all(&server).await;
    let mut wrong = Vec::new();
    for row in TABLE {
        let mut record = records.of(row.about).await;
        for number in 0..readers.len() {
            let reader = &mut readers[number];
            let expected = expected(row, reader);
            let answer = reader.send(&server, row, &record.fill(row)).await;
            note(&mut wrong, row, reader, THERE, expected, &answer);
            if expected != Allowed::Yes {
                continue;
            }
            if row.changes() {
                record = records.of(row.about).await;
            }
            if row.ends_session {
                for reader in &mut readers {
                    *reader = reader.again(&server).await;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let server = TestServer::start_with(setup()).await;
    let mut readers = Reader::all(&server).await;
    let mut wrong = Vec::new();
    for row in TABLE.iter().filter(|row| row.about != About::Nothing) {
        for reader in &mut readers {
            let expected = match expected(row, reader) {
                Allowed::Yes if row.whatever => Allowed::Yes,
                Allowed::Yes => Allowed::NotThere,
                refused => refused,
            };
            let answer = reader
                .send(&server, row, &Record::missing(UNKNOWN).fill(row))
                .await;
            note(&mut wrong, row, reader, UNKNOWN, expected, &answer);
            for shapeless in ["99999999999999999999", "-1", "0", "abc", "1%00", "..%2f1", "1'--"] {
                let answer = reader
                    .send(&server, row, &Record::missing(shapeless).fill(row))
                    .await;
                if !matches!(answer.status, 400 | 404) {
                    note(&mut wrong, row, reader, shapeless, expected, &answer);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

#[tokio::test]
async fn other_methods_are_refused() {
    let server = TestServer::start_with(setup()).await;
    let paths: BTreeSet<&str> = TABLE.iter().map(|row| row.path).collect();
    let mut wrong = Vec::new();
    for path in paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
            if TABLE.iter().any(|row| row.path == path && row.method == method) {
                continue;
            }
            let concrete = Record::missing("1").path(path);
            let answer = Ask::new(method, &concrete).send(server.address).await;
            if !matches!(answer.status, 401 | 404 | 405) {
                wrong.push(format!("{method} {path}: {}", answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn whatever_changes_something_needs_a_token_and_an_origin() {
    let server = TestServer::start_with(setup()).await;
    let records = Records::new(&server);
    let mut readers = Reader::all(&server).await;
    let admin = readers
        .iter_mut()
        .find(|reader| reader.name == "admin")
        .expect("an admin");
    let mut wrong = Vec::new();
    for row in TABLE
        .iter()
        .filter(|row| row.changes() && row.needs != Needs::Absent)
    {
        let record = records.of(row.about).await;
        let filled = record.fill(row);
        for (how, answer) in [
            (
                "without a token",
                admin.without_token(&server, row, &filled).await,
            ),
            ("from elsewhere", admin.elsewhere(&server, row, &filled).await),
            ("cross-site", admin.cross_site(&server, row, &filled).await),
        ] {
            if answer.status != 403 {
                wrong.push(format!("{} {how}: {}", row.name(), answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What a reader is to be answered about a record that is there and that the reader may see.
fn expected(row: &Row, reader: &Reader) -> Allowed {
    let Some(actor) = &reader.actor else {
        return match row.needs {
            Needs::Public | Needs::Browser => Allowed::Yes,
            Needs::Absent => Allowed::NotThere,
            _ => Allowed::Unknown,
        };
    };
    let may = match row.needs {
        Needs::Absent => return Allowed::NotThere,
        Needs::Browser | Needs::Person => !reader.is_program(),
        Needs::Act(action) => actor.may(action).is_ok(),
        Needs::InPerson(action) => !reader.is_program() && actor.may(action).is_ok(),
        Needs::Theirs(action) if actor.may(action).is_err() => return Allowed::NotThere,
        Needs::Public | Needs::SignedIn | Needs::Theirs(_) => true,
    };
    if may { Allowed::Yes } else { Allowed::No }
}

fn note(
    wrong: &mut Vec<String>,
    row: &Row,
    reader: &Reader,
    record: &str,
    expected: Allowed,
    answer: &Answer,
) {
    let found = Allowed::of(answer);
    // Whoever may not do something may learn either first, as long as it is the same for what is out of sight.
    let either = match row.needs {
        Needs::Absent | Needs::Theirs(_) => expected == Allowed::NotThere,
        // To a program there is no page of its own.
        Needs::Person => expected == Allowed::No,
        _ => expected == Allowed::No && record != THERE,
    };
    if either && (row.whatever || matches!(found, Allowed::No | Allowed::NotThere)) {
        return;
    }
    if row.may_lack && expected == Allowed::Yes && found == Allowed::NotThere {
        return;
    }
    let form = expected != Allowed::Unknown || reader.told_in_form(row, answer);
    if found != expected || !form {
        wrong.push(format!(
            "{} for {} ({record}): {} {:?} where {expected:?} is right",
            row.name(),
            reader.name,
            answer.status,
            answer.header("location"),
        ));
    }
}
