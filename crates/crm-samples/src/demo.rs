//! Fills a store for the demonstration.

use crm_domain::activities::{Direction, MessageKind, NewActivity};
use crm_domain::companies::CompanyId;
use crm_domain::conversations::{ConversationId, ConversationKey, ConversationKind, LinkState};
use crm_domain::customers::{CustomerDetails, CustomerId};
use crm_domain::instant::Instant;
use crm_domain::ports::store::{Store, StoreError, StoreExt, UnitOfWork};
use crm_domain::standings::{LastMessage, Standing};
use time::Duration;

use crate::talks::{TALKS, Talk};
use crate::{companies, customers};

/// The bot of the demonstration.
pub const DEMO_BOT: &str = "2000001";

/// Writes 20 companies, 100 customers and their conversations, the newest message some minutes before `now`.
pub async fn fill_demo(store: &dyn Store, bot: &str, now: Instant) -> Result<(), StoreError> {
    let bot = bot.to_owned();
    let companies = companies::all().map_err(StoreError::unavailable)?;
    store
        .write(move |uow| {
            let mut ids = Vec::with_capacity(companies.len());
            for details in &companies {
                ids.push(uow.edit_companies().add_company(details, before(now, 90 * DAY))?);
            }
            add_customers(uow, &ids, &bot, now)
        })
        .await
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn before(now: Instant, seconds: i64) -> Instant {
    now.minus(Duration::seconds(seconds))
}

fn add_customers(
    uow: &mut dyn UnitOfWork,
    companies: &[CompanyId],
    bot: &str,
    now: Instant,
) -> Result<(), StoreError> {
    let mut added = Vec::new();
    for number in 0..customers::COUNT {
        let Some(details) = customers::customer(number, companies) else {
            continue;
        };
        let id = uow
            .edit_customers()
            .add_customer(&details, before(now, 80 * DAY))?;
        added.push((number, id, details));
    }
    // As they would have come: the later a customer stands in the list, the longer ago they talked.
    for (number, id, details) in added.iter().rev() {
        add_talk(uow, *number, *id, details, bot, now)?;
    }
    Ok(())
}

/// Of those on LINE WORKS three of four have talked; one has left.
fn add_talk(
    uow: &mut dyn UnitOfWork,
    number: u64,
    customer: CustomerId,
    details: &CustomerDetails,
    bot: &str,
    now: Instant,
) -> Result<(), StoreError> {
    let Some(address) = &details.line_user_id else {
        return Ok(());
    };
    let key = ConversationKey {
        bot: bot.to_owned(),
        address: address.clone(),
        kind: ConversationKind::Person,
    };
    let opened = uow
        .edit_conversations()
        .open_conversations(&[key], before(now, 80 * DAY))?;
    let Some(conversation) = opened.first().copied().filter(|_| number % 4 != 2) else {
        return Ok(());
    };
    let talk = TALKS[usize::try_from(number).unwrap_or(0) % TALKS.len()];
    let end = before(now, ended(number));
    let said = messages(talk, customer, conversation, end);
    uow.edit_activities().add_activities(&said)?;
    uow.edit_conversations()
        .set_link(conversation, LinkState::Active, end)?;
    stand(uow, conversation, customer, &said, now)?;
    if number == LEFT {
        uow.edit_conversations()
            .set_link(conversation, LinkState::Left, end.plus(Duration::HOUR))?;
    }
    Ok(())
}

/// Who asked something these last days still waits; what is older was closed, and read.
fn stand(
    uow: &mut dyn UnitOfWork,
    conversation: ConversationId,
    customer: CustomerId,
    said: &[NewActivity],
    now: Instant,
) -> Result<(), StoreError> {
    let mut standing = Standing {
        customer_id: Some(customer),
        ..Standing::default()
    };
    for message in said {
        let (at, text) = (message.timestamp, message.message.as_str());
        if message.direction == Direction::Received {
            standing.hear(at, message.kind, text);
        } else {
            standing.note_last(LastMessage::new(at, message.direction, message.kind, text));
            standing.accept(at, None);
            standing.received = 0;
        }
    }
    match standing.waiting_since {
        Some(since) if since > before(now, 3 * DAY) => {
            uow.edit_waitings().note_waiting(conversation, since)?;
        }
        _ => {
            standing.waiting_since = None;
            standing.received = 0;
        }
    }
    uow.edit_conversations()
        .save_standings(&[(conversation, standing)])
}

/// The customer who left the talk.
const LEFT: u64 = 41;

/// How long ago the talk ended: the first minutes ago, the last weeks ago.
fn ended(number: u64) -> i64 {
    let number = i64::try_from(number).unwrap_or(0);
    3 * MINUTE + number * number * 7 * MINUTE
}

fn messages(
    talk: Talk,
    customer_id: CustomerId,
    conversation: ConversationId,
    end: Instant,
) -> Vec<NewActivity> {
    let steps = i64::try_from(talk.len()).unwrap_or(0);
    (1..)
        .zip(talk)
        .map(|(step, (direction, text))| NewActivity {
            customer_id,
            conversation_id: Some(conversation),
            receipt_id: None,
            send_id: None,
            note_id: None,
            late: false,
            direction: *direction,
            kind: MessageKind::Text,
            message: (*text).to_owned(),
            detail: None,
            timestamp: before(end, (steps - step) * 11 * MINUTE),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{DEMO_BOT, fill_demo};
    use crm_domain::companies::CompanyFilter;
    use crm_domain::conversations::LinkStatus;
    use crm_domain::customers::CustomerFilter;
    use crm_domain::instant::Instant;
    use crm_domain::memory::MemoryStore;
    use crm_domain::paging::PageRequest;
    use crm_domain::ports::store::{StoreError, StoreExt};
    use crm_domain::teams::Visible;

    #[tokio::test]
    async fn the_demonstration_has_what_it_promises() {
        let store = MemoryStore::new();
        let now = Instant::parse("2026-11-22T12:00:00Z").unwrap();
        fill_demo(&store, DEMO_BOT, now).await.unwrap();
        let (companies, customers) = store
            .read(|unit| {
                let all = PageRequest::first(1_000);
                let companies =
                    unit.companies()
                        .company_list(&CompanyFilter::default(), &all, &Visible::All)?;
                let customers =
                    unit.customers()
                        .customer_list(&CustomerFilter::default(), &all, &Visible::All)?;
                Ok::<_, StoreError>((companies.items, customers.items))
            })
            .await
            .unwrap();
        assert_eq!((companies.len(), customers.len()), (20, 100));
        let of = |code: &str| customers.iter().filter(|line| line.link.code() == code).count();
        assert_eq!(
            (of("active"), of("unconfirmed"), of("not_set"), of("left")),
            (59, 20, 20, 1)
        );
        let counts = store
            .read(|unit| unit.board().board_counts(None, &Visible::All, 1_000))
            .await;
        let waiting = counts.unwrap().waiting;
        assert!((3..=20).contains(&waiting), "{waiting} wait");
        assert!(
            customers
                .iter()
                .all(|line| line.customer.details.name.full() != "")
        );
        assert!(
            customers
                .iter()
                .any(|line| matches!(line.link, LinkStatus::Left(at) if at < now))
        );
    }
}
