//! Lists and conversations of a large database.

use std::sync::Arc;
use std::time::Instant;

use crm_domain::companies::{CompanyFilter, CompanyId};
use crm_domain::customers::{CustomerDetails, CustomerFilter, CustomerId, CustomerPrefix};
use crm_domain::paging::{Cursor, PageRequest};
use crm_domain::ports::store::{ReadUnit, StoreError, StoreExt};
use crm_domain::teams::Visible;
use crm_sqlite::SqliteStore;
use crm_testkit::fixtures::{after, company_details, customer_read, email, phone, received, start, user};

use crate::spread;

const LAST: [(&str, &str); 8] = [
    ("佐藤", "サトウ"),
    ("鈴木", "スズキ"),
    ("高橋", "タカハシ"),
    ("田中", "タナカ"),
    ("渡辺", "ワタナベ"),
    ("伊藤", "イトウ"),
    ("山本", "ヤマモト"),
    ("中村", "ナカムラ"),
];
const SYLLABLES: [&str; 10] = ["ア", "キ", "ス", "テ", "ノ", "ハ", "ミ", "ユ", "レ", "ワ"];
const COMPANIES: u32 = 2_000;
const CHUNK: u32 = 2_000;
/// Messages of the one long conversation.
const LONG: u32 = 21_000;

fn details(n: u32, company: CompanyId) -> CustomerDetails {
    let (last, reading) = LAST[n as usize % LAST.len()];
    let first: String = (0..5)
        .map(|place| SYLLABLES[(n / 10_u32.pow(place)) as usize % 10])
        .collect();
    CustomerDetails {
        email: Some(email(&format!(
            "{}{n}@example.jp",
            char::from(b'a' + (n % 26) as u8)
        ))),
        phone: Some(phone(&format!(
            "0{}0-{:04}-{:04}",
            n % 9 + 1,
            n / 10_000,
            n % 10_000
        ))),
        line_user_id: (!n.is_multiple_of(3)).then(|| user(n.wrapping_mul(2_654_435_761))),
        company_id: Some(company),
        ..customer_read((last, &first), (reading, &first))
    }
}

pub(crate) async fn fill(store: &Arc<SqliteStore>, customers: u32) {
    let began = Instant::now();
    let companies = write(store, move |unit| {
        let name = |n| company_details(&format!("株式会社第{n}商事"));
        (0..COMPANIES)
            .map(|n| unit.edit_companies().add_company(&name(n), start()))
            .collect::<Result<Vec<_>, _>>()
    })
    .await;
    let companies = Arc::new(companies);
    let mut ids = Vec::new();
    for chunk in (0..customers).step_by(CHUNK as usize) {
        let companies = Arc::clone(&companies);
        ids.extend(
            write(store, move |unit| {
                (chunk..chunk + CHUNK)
                    .map(|n| {
                        let company = companies[n as usize % companies.len()];
                        unit.edit_customers().add_customer(&details(n, company), start())
                    })
                    .collect::<Result<Vec<_>, _>>()
            })
            .await,
        );
    }
    let ids = Arc::new(ids);
    let messages = customers * 10;
    for chunk in (0..messages + LONG).step_by(CHUNK as usize) {
        let ids = Arc::clone(&ids);
        write(store, move |unit| {
            let said: Vec<_> = (chunk..chunk + CHUNK)
                .map(|n| {
                    let whose = if n < messages {
                        n as usize * 7 % ids.len()
                    } else {
                        0
                    };
                    received(
                        ids[whose],
                        "お世話になっております。よろしくお願いいたします。",
                        after(i64::from(n)),
                    )
                })
                .collect();
            unit.edit_activities().add_activities(&said)
        })
        .await;
    }
    println!(
        "filled with {customers} customers and {messages} messages in {:?}",
        began.elapsed()
    );
}

async fn write<T: Send + 'static>(
    store: &Arc<SqliteStore>,
    work: impl FnMut(&mut dyn crm_domain::ports::store::UnitOfWork) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.write(work).await.expect("it is stored")
}

async fn timed<T: Send + 'static>(
    store: &Arc<SqliteStore>,
    what: &str,
    work: impl Fn(&mut dyn ReadUnit) -> Result<T, StoreError> + Send + Copy + 'static,
) {
    let mut times = Vec::new();
    for _ in 0..100 {
        let asked = Instant::now();
        store.read(move |unit| work(unit)).await.expect("it is read");
        times.push(asked.elapsed());
    }
    println!("{what}: {}", spread(times));
}

fn search(unit: &mut dyn ReadUnit, typed: &str, company: Option<CompanyId>) -> Result<usize, StoreError> {
    let filter = CustomerFilter {
        prefix: CustomerPrefix::new(typed),
        company,
    };
    Ok(unit
        .customers()
        .customer_list(&filter, &PageRequest::first(50), &Visible::All)?
        .items
        .len())
}

pub(crate) async fn time(store: &Arc<SqliteStore>, customers: u32) {
    let all = CustomerFilter::default;
    timed(store, "customer list, first page", move |unit| {
        unit.customers()
            .customer_list(&all(), &PageRequest::first(50), &Visible::All)
    })
    .await;
    timed(store, "customer list, a page in the middle", move |unit| {
        let after = Cursor {
            key: "たなか".to_owned(),
            id: 0,
        };
        unit.customers()
            .customer_list(&all(), &PageRequest::after(Some(after), 50), &Visible::All)
    })
    .await;
    for typed in ["田", "わ", "あ", "s", "0", "09", "7", "田中 キア", "nobody"] {
        timed(store, &format!("customers beginning with {typed}"), move |unit| {
            search(unit, typed, None)
        })
        .await;
    }
    let company = CompanyId::new(7);
    timed(store, "customers of a company", move |unit| {
        let filter = CustomerFilter {
            prefix: None,
            company: Some(company),
        };
        unit.customers()
            .customer_list(&filter, &PageRequest::first(50), &Visible::All)
    })
    .await;
    timed(store, "customers of a company beginning with 0", move |unit| {
        search(unit, "0", Some(company))
    })
    .await;
    companies(store).await;
    talks(store, company, customers).await;
}

async fn companies(store: &Arc<SqliteStore>) {
    timed(store, "company list", move |unit| {
        unit.companies()
            .company_list(&CompanyFilter::default(), &PageRequest::first(50), &Visible::All)
    })
    .await;
    timed(store, "companies beginning with 株", move |unit| {
        let filter = CompanyFilter {
            prefix: Some("株".to_owned()),
        };
        unit.companies()
            .company_list(&filter, &PageRequest::first(50), &Visible::All)
    })
    .await;
}

async fn talks(store: &Arc<SqliteStore>, company: CompanyId, customers: u32) {
    let long = CustomerId::new(1_001);
    timed(store, "a customer", move |unit| {
        unit.customers().customer(long, &Visible::All)
    })
    .await;
    timed(store, "the newest 50 of a long conversation", move |unit| {
        unit.activities().activities_before(long, None, 50)
    })
    .await;
    timed(store, "nothing new in a long conversation", move |unit| {
        let newest = unit.activities().activities_before(long, None, 1)?.pop();
        unit.activities()
            .activities_added_after(long, newest.map(|newest| newest.id), 50)
    })
    .await;
    timed(store, "the newest 50 of a company", move |unit| {
        unit.activities()
            .activities_of_company(company, None, 50, &Visible::All)
    })
    .await;
    timed(
        store,
        "the newest 50 of the long conversation's company",
        move |unit| {
            unit.activities()
                .activities_of_company(CompanyId::new(1), None, 50, &Visible::All)
        },
    )
    .await;
    let last = CustomerId::new(i64::from(customers));
    timed(store, "the newest 50 of another customer", move |unit| {
        unit.activities().activities_before(last, None, 50)
    })
    .await;
}
