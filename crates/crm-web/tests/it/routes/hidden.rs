//! What one may not see is not there: by its number, in lists, in counts and in what is found.

use crm_domain::members::{Grants, MemberId, Role};
use crm_domain::teams::{Sees, TeamDetails};

use super::readers::{Allowed, Reader};
use super::records::{HIDDEN, Record, Records};
use super::table::{About, Row, TABLE};
use super::{expected, setup};
use crate::harness::{Answer, TestServer};

/// A server with a member who sees only their own customers, and the number of another member.
async fn scene(server: &TestServer, role: Role) -> (Reader, MemberId) {
    let narrow = Reader::person(server, "narrow", role, Grants::default()).await;
    let other = server.add_member("other@example.jp", Role::Member).await;
    let details = TeamDetails {
        name: "営業".to_owned(),
        sees: Sees::Own,
    };
    let operator = TestServer::operator();
    let team = server.crm.add_team(&operator, details).await.unwrap();
    let both = vec![(narrow.member(), false), (other, false)];
    server.crm.set_team_members(&operator, team, both).await.unwrap();
    (narrow, other)
}

/// Kinds of records that belong to a customer.
fn is_of_a_customer(about: About) -> bool {
    matches!(
        about,
        About::Customer | About::User | About::Conversation | About::Activity | About::Send | About::File
    )
}

/// The same for two records: numbers, the record's own text and the request's id are left out.
fn shape(answer: &Answer, record: &Record) -> String {
    let place = answer.header("location").unwrap_or_default();
    let text = format!("{} {place} {}", answer.status, answer.text());
    let request = answer.header("x-request-id").unwrap_or("?");
    let text = text.replace(&record.user, "").replace(request, "");
    text.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

async fn tell_apart(
    server: &TestServer,
    reader: &mut Reader,
    records: &Records<'_>,
    wrong: &mut Vec<String>,
) {
    for row in TABLE.iter().filter(|row| is_of_a_customer(row.about)) {
        let (there, missing) = (records.of(row.about).await, Record::missing("999999"));
        let hidden = reader.send(server, row, &there.fill(row)).await;
        let nothing = reader.send(server, row, &missing.fill(row)).await;
        let refused = expected(row, reader) != Allowed::Yes;
        let found = Allowed::of(&hidden);
        let right = row.whatever || found == Allowed::NotThere || refused && found == Allowed::No;
        if !right || shape(&hidden, &there) != shape(&nothing, &missing) {
            wrong.push(format!(
                "{}: {} where {} is answered for nothing",
                row.name(),
                hidden.status,
                nothing.status
            ));
        }
    }
}

#[tokio::test]
async fn by_its_number_what_is_hidden_answers_as_what_is_not_there() {
    for role in [Role::Member, Role::Viewer] {
        let server = TestServer::start_with(setup()).await;
        let (mut narrow, other) = scene(&server, role).await;
        let records = Records::of_customers_of(&server, other);
        let mut wrong = Vec::new();
        tell_apart(&server, &mut narrow, &records, &mut wrong).await;
        assert!(wrong.is_empty(), "{role:?}: {wrong:#?}");
    }
}

#[tokio::test]
async fn no_list_search_or_count_tells_of_what_is_hidden() {
    let server = TestServer::start_with(setup()).await;
    let (mut narrow, other) = scene(&server, Role::Member).await;
    let records = Records::of_customers_of(&server, other);
    for about in [About::Customer, About::Conversation, About::Send, About::File] {
        records.of(about).await;
    }
    let mut admin = Reader::person(&server, "admin", Role::Admin, Grants::default()).await;
    let search = crate::harness::http::encode(HIDDEN);
    let mut seen = 0;
    for row in TABLE
        .iter()
        .filter(|row| row.method == "GET" && row.about == About::Nothing)
    {
        for query in [
            String::new(),
            format!("?q={search}"),
            "?tab=all".to_owned(),
            "?column=open".to_owned(),
        ] {
            let mut filled = Record::default().fill(row);
            filled.path.push_str(&query);
            let answer = narrow.send(&server, row, &filled).await;
            assert!(!tells(&answer.text()), "{} {query}", row.name());
            let whole = admin.send(&server, row, &filled).await;
            seen += usize::from(tells(&whole.text()));
        }
    }
    assert!(seen >= 4, "an administrator sees them, in {seen} places");
    let counts = narrow
        .send(&server, counts(), &Record::default().fill(counts()))
        .await;
    assert_eq!(counts.status, 200);
    let text = counts.text();
    assert!(
        !text.chars().any(|letter| ('1'..='9').contains(&letter)),
        "{text}"
    );
}

/// Whether the customer's name stands there; what was searched for may.
fn tells(text: &str) -> bool {
    ["", " "]
        .iter()
        .any(|gap| text.contains(&format!("{HIDDEN}{gap}太郎")))
        || text.contains(&format!(":\"{HIDDEN}\""))
}

fn counts() -> &'static Row {
    let found = TABLE.iter().find(|row| row.path == "/board/counts");
    found.expect("the counts")
}

#[tokio::test]
async fn ones_own_and_nobodys_are_there() {
    let server = TestServer::start_with(setup()).await;
    let (mut narrow, _) = scene(&server, Role::Member).await;
    let own = Records::of_customers_of(&server, narrow.member());
    let nobodys = Records::new(&server);
    let mut wrong = Vec::new();
    for row in TABLE.iter().filter(|row| is_of_a_customer(row.about)) {
        for record in [own.of(row.about).await, nobodys.of(row.about).await] {
            let answer = narrow.send(&server, row, &record.fill(row)).await;
            let expected = expected(row, &narrow);
            if Allowed::of(&answer) != expected {
                wrong.push(format!(
                    "{}: {} where {expected:?} is right",
                    row.name(),
                    answer.status
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
