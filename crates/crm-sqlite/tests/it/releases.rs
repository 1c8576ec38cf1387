//! Every released schema, filled, opened by this program: nothing is lost and every row reads. A release adds its own.

use crm_domain::activities::{Activity, ActivityQueries};
use crm_domain::board::{BoardRequest, Column, Tab};
use crm_domain::companies::CompanyFilter;
use crm_domain::customers::{CustomerFilter, CustomerId};
use crm_domain::paging::PageRequest;
use crm_domain::ports::store::{ReadUnit, StoreError, StoreExt as _};
use crm_domain::ports::store_admin::StoreAdmin as _;
use crm_domain::teams::Visible;
use crm_sqlite::SqliteStore;
use diesel::connection::SimpleConnection as _;

use crate::common::{counts, number, options, other_program, run, texts};
use crate::landed::released;

/// The last migration of each release, and what one held.
const RELEASES: [(usize, &str); 2] = [
    (9, include_str!("fixtures/0009.sql")),
    (21, include_str!("fixtures/0021.sql")),
];

#[test]
fn every_row_of_every_release_reads() {
    run(async {
        for (last, filled) in RELEASES {
            let (_folder, path) = released(last);
            other_program(&path).batch_execute(filled).unwrap();
            let before = counts(&path);
            let store = SqliteStore::open(options(&path)).unwrap();
            store.migrate().await.unwrap();
            let after = counts(&path);
            for (table, rows) in &before {
                assert_eq!(after.get(table), Some(rows), "{table} since {last}");
            }
            assert_eq!(texts(&path, "PRAGMA integrity_check"), ["ok"]);
            assert!(texts(&path, "SELECT \"table\" FROM pragma_foreign_key_check").is_empty());
            let read: Read = store
                .read(|unit| read_all(unit))
                .await
                .unwrap_or_else(|error: StoreError| panic!("since {last}: {error}"));
            let living = |table: &str| {
                number(
                    &path,
                    &format!("SELECT count(*) FROM {table} WHERE deleted_at IS NULL"),
                )
            };
            assert_eq!(read.customers, living("customers"), "since {last}");
            assert_eq!(read.companies, living("companies"), "since {last}");
            assert!(read.messages > 0 && read.conversations > 0);
        }
    });
}

/// How many records came.
#[derive(Default)]
struct Read {
    customers: i64,
    companies: i64,
    messages: i64,
    conversations: i64,
}

fn read_all(unit: &mut dyn ReadUnit) -> Result<Read, StoreError> {
    let mut read = Read::default();
    let everything = PageRequest::first(1_000);
    let customers = unit
        .customers()
        .customer_list(&CustomerFilter::default(), &everything, &Visible::All)?;
    for line in &customers.items {
        let id = line.customer.id;
        unit.customers().customer(id, &Visible::All)?.unwrap();
        read.messages += i64::try_from(messages(unit.activities(), id)?.len()).unwrap();
        read.customers += 1;
    }
    let companies = unit
        .companies()
        .company_list(&CompanyFilter::default(), &everything, &Visible::All)?;
    read.companies = i64::try_from(companies.items.len()).unwrap();
    for column in [Column::Waiting, Column::Handled, Column::Done] {
        let board = unit.board().board(&BoardRequest {
            column,
            tab: Tab::All,
            reader: None,
            visible: Visible::All,
            after: None,
            limit: 1_000,
        })?;
        read.conversations += i64::try_from(board.lines.len()).unwrap();
    }
    unit.members().members()?;
    unit.trash().trash(None, 1_000)?;
    unit.teams().teams()?;
    unit.audit().unsealed_audit(1_000)?;
    unit.audit().sealed_audit(0, 1_000)?;
    unit.receipts().pending_receipts(1_000)?;
    unit.credentials().sessions(None)?;
    unit.credentials().tokens(None)?;
    unit.data_keys().data_keys()?;
    Ok(read)
}

fn messages(activities: &mut dyn ActivityQueries, id: CustomerId) -> Result<Vec<Activity>, StoreError> {
    activities.activities_before(id, None, 1_000)
}
