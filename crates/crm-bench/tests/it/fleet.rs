//! Three real servers on one PostgreSQL behind nginx, under load: killed, frozen, restarted one after the other, without
//! their database.

use std::time::{Duration, Instant};

use crm_bench::cluster::Halt;
use crm_bench::faults::{FaultKind, FaultsOptions, Row, Run, Stream, sign_in};
use crm_bench::fleet::{Fleet, FleetPlan};
use crm_bench::ground::StoreKind;
use crm_bench::trial::{Line, callback, callback_of, server_binary};
use crm_domain::ports::host::Clock as _;
use crm_host::SystemClock;
use time::UtcOffset;
use tokio::sync::watch;

/// An interruption that people notice ends within this time, on a busy machine.
const SOON: Duration = Duration::from_secs(15);

fn plan() -> FleetPlan {
    FleetPlan::new(&server_binary(None).unwrap(), StoreKind::Postgres, 3)
}

fn options(fault: FaultKind) -> FaultsOptions {
    FaultsOptions::once(StoreKind::Postgres, fault)
}

async fn run_with(plan: FleetPlan, faults: &[FaultKind]) -> Row {
    let mut run = Run::begin(&plan, &options(faults[0])).await.unwrap();
    for fault in faults {
        run.happen(*fault).await.unwrap();
    }
    run.end(faults[0]).await.unwrap()
}

fn assert_as_promised(row: &Row) {
    assert!(row.wrong.is_empty(), "{row:#?}");
    // How much there was to lose depends on how busy the machine is.
    assert!(
        row.answered > 50 && row.messages > 0 && row.pages() > 5,
        "{row:#?}"
    );
    assert!(row.live_signs() > 0, "{row:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_and_pages_go_on_when_a_server_is_killed_and_one_is_frozen() {
    let row = run_with(plan(), &[FaultKind::Kill, FaultKind::Freeze]).await;
    assert_as_promised(&row);
    assert!(row.longest_page() < SOON, "{row:#?}");
    assert!(row.longest_callback() < SOON, "{row:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_with_a_widened_schema_in_its_middle_refuses_no_callback_and_loses_nothing() {
    let mut run = Run::begin(&plan(), &options(FaultKind::Rolling)).await.unwrap();
    for number in 0..run.fleet.size() {
        run.fleet.stop(number).await.unwrap();
        run.goes_on(10).await.unwrap();
        if number == 1 {
            // What a later release does first: old and new servers work on it at the same time.
            let widen = "ALTER TABLE customers ADD COLUMN of_a_later_release TEXT NOT NULL DEFAULT ''; \
                         ALTER TABLE receipts ADD COLUMN of_a_later_release BIGINT NOT NULL DEFAULT 0; \
                         CREATE TABLE of_a_later_release (id BIGINT PRIMARY KEY)";
            run.fleet.cluster().unwrap().psql().run(widen).await.unwrap();
            run.goes_on(10).await.unwrap();
        }
        run.fleet.spawn(number).unwrap();
        run.fleet.wait_until_ready(number).await.unwrap();
        run.goes_on(10).await.unwrap();
    }
    let row = run.end(FaultKind::Rolling).await.unwrap();
    assert_as_promised(&row);
    assert_eq!(row.refused_callbacks(), 0, "{row:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_are_taken_while_the_database_is_restarted_and_recorded_afterwards() {
    let mut run = Run::begin(&plan(), &options(FaultKind::Database)).await.unwrap();
    run.fleet.cluster().unwrap().halt(Halt::Fast).await.unwrap();
    // Nobody but the spool can take them.
    run.goes_on(30).await.unwrap();
    run.fleet.cluster().unwrap().resume().await.unwrap();
    run.goes_on(30).await.unwrap();
    run.shows_pages(6).await.unwrap();
    let row = run.end(FaultKind::Database).await.unwrap();
    assert_as_promised(&row);
    assert_eq!(row.refused_callbacks(), 0, "{row:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_standby_is_taken_within_15_seconds_and_nothing_answered_is_lost() {
    let mut plan = plan();
    plan.standby = true;
    let row = run_with(plan, &[FaultKind::Failover]).await;
    assert_as_promised(&row);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_cut_in_every_place_of_a_unit_of_work_lose_and_double_nothing() {
    let mut plan = plan();
    plan.proxies = true;
    let row = run_with(plan, &[FaultKind::Cut]).await;
    assert_as_promised(&row);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_arrives_at_one_server_is_on_the_pages_of_another_within_a_second() {
    let mut plan = plan();
    plan.instances = 2;
    let fleet = Fleet::start(&plan).await.unwrap();
    let desk = fleet.office().await.unwrap().furnish(1).await.unwrap();
    let cookie = sign_in(fleet.address()).await.unwrap();
    let (here, there) = (fleet.instance(0).address, fleet.instance(1).address);
    let mut stream = Stream::open(there, &cookie, "").await.unwrap();
    let opened = Instant::now();
    while stream.last.is_empty() {
        stream.hear(Duration::from_millis(100)).await.unwrap();
        assert!(opened.elapsed() < SOON, "the stream says nothing");
    }
    let mut line = Line::new(watch::Sender::new(Some(here)).subscribe());
    let mut fastest = Duration::MAX;
    for number in 0..5 {
        let body = callback_of(
            &desk.customers[0].1,
            &format!("heard-{number}"),
            SystemClock.now().at_offset(UtcOffset::UTC),
        );
        let began = Instant::now();
        assert_eq!(line.ask(&callback(&body)).await.unwrap().status, 200);
        while !stream
            .hear(Duration::from_millis(50))
            .await
            .unwrap()
            .iter()
            .any(|name| name == "message")
        {
            assert!(began.elapsed() < SOON, "not heard");
        }
        fastest = fastest.min(began.elapsed());
    }
    // The machine may be busy with other tests at times, not always.
    assert!(fastest < Duration::from_secs(1), "{fastest:?}");
}
