//! Fills a store with any number of rows, for measuring.

use std::collections::HashMap;

use crm_domain::activities::{Direction, MessageKind, NewActivity};
use crm_domain::companies::{CompanyDetails, CompanyId};
use crm_domain::conversations::{ConversationId, ConversationKey, ConversationKind, LinkState};
use crm_domain::customers::{CustomerDetails, CustomerId};
use crm_domain::instant::Instant;
use crm_domain::ports::store::{Store, StoreError, StoreExt};
use crm_domain::standings::{LastMessage, Standing};
use crm_domain::values::{
    CompanyName, CompanyReading, Line, LineUserId, PersonName, PersonReading, PhoneNumber, Remarks, Website,
};
use time::Duration;

use crate::customers::{Draft, details};
use crate::dice::{below, pick};
use crate::words::{BUSINESS, FIRST_NAMES, LAST_NAMES};
use crate::{CHUNK, user_id};

/// Who said something last within this time still waits; who did so earlier needed no answer.
const UNANSWERED: Duration = Duration::days(3);

/// How many rows of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crowd {
    /// The bot with whom they talk.
    pub bot: String,
    /// Customers; a tenth as many companies. Each has the user id of [`user_id`] of its number, counted from 0.
    pub customers: u64,
    /// Messages, spread over the year before `until`; few customers have most of them: the first has, of 1,000,000
    /// among 100,000, about 21,000.
    pub activities: u64,
    /// After the last message.
    pub until: Instant,
}

/// Writes the crowd; `progress` is told how many rows are written so far.
pub async fn fill_crowd(
    store: &dyn Store,
    crowd: &Crowd,
    mut progress: impl FnMut(u64) + Send,
) -> Result<(), StoreError> {
    let companies = add_companies(store, crowd).await?;
    let mut rows = companies.len() as u64;
    let mut people = Vec::new();
    for chunk in chunks(crowd.customers) {
        people.extend(add_customers(store, crowd, &companies, chunk.clone()).await?);
        rows += chunk.end - chunk.start;
        progress(rows);
    }
    let mut standings: Standings = people
        .iter()
        .map(|person| (person.1, beginning(person.0)))
        .collect();
    for chunk in chunks(crowd.activities) {
        rows += chunk.end - chunk.start;
        let said: Vec<NewActivity> = chunk
            .filter_map(|number| message(crowd, &people, number))
            .collect();
        for message in &said {
            note(&mut standings, message);
        }
        add_messages(store, said).await?;
        progress(rows);
    }
    save(store, crowd, standings).await
}

type Standings = HashMap<ConversationId, Standing>;

fn beginning(customer: CustomerId) -> Standing {
    Standing {
        customer_id: Some(customer),
        ..Standing::default()
    }
}

fn note(standings: &mut Standings, said: &NewActivity) {
    let talk = said.conversation_id.and_then(|talk| standings.get_mut(&talk));
    let Some(standing) = talk else { return };
    if said.direction == Direction::Received {
        standing.hear(said.timestamp, said.kind, &said.message);
    } else {
        let last = LastMessage::new(said.timestamp, said.direction, said.kind, &said.message);
        standing.note_last(last);
        standing.accept(said.timestamp, None);
    }
}

/// Where the conversations stand at the end.
async fn save(store: &dyn Store, crowd: &Crowd, standings: Standings) -> Result<(), StoreError> {
    let recent = crowd.until.minus(UNANSWERED);
    let mut standings: Vec<(ConversationId, Standing)> = standings.into_iter().collect();
    standings.sort_by_key(|(talk, _)| *talk);
    for (_, standing) in &mut standings {
        standing.waiting_since = standing.waiting_since.filter(|since| *since >= recent);
    }
    for chunk in standings.chunks(CHUNK) {
        let chunk = chunk.to_vec();
        let save = store.write(move |uow| {
            uow.edit_conversations().save_standings(&chunk)?;
            for (talk, standing) in &chunk {
                if let Some(since) = standing.waiting_since {
                    uow.edit_waitings().note_waiting(*talk, since)?;
                }
            }
            Ok::<_, StoreError>(())
        });
        save.await?;
    }
    Ok(())
}

type Person = (CustomerId, ConversationId);

fn chunks(count: u64) -> impl Iterator<Item = std::ops::Range<u64>> {
    let step = CHUNK as u64;
    (0..count.div_ceil(step)).map(move |at| at * step..((at + 1) * step).min(count))
}

async fn add_companies(store: &dyn Store, crowd: &Crowd) -> Result<Vec<CompanyId>, StoreError> {
    let mut ids = Vec::new();
    for chunk in chunks((crowd.customers / 10).max(1)) {
        let at = crowd.until.minus(Duration::days(400));
        let details: Vec<CompanyDetails> = chunk.filter_map(company).collect();
        let added = store.write(move |uow| {
            let mut ids = Vec::new();
            for details in &details {
                ids.push(uow.edit_companies().add_company(details, at)?);
            }
            Ok::<_, StoreError>(ids)
        });
        ids.extend(added.await?);
    }
    Ok(ids)
}

fn company(number: u64) -> Option<CompanyDetails> {
    let (name, reading) = pick(&LAST_NAMES, 1, number);
    Some(CompanyDetails {
        name: CompanyName::new(&format!("株式会社{name}商事{number}")).ok()?,
        name_kana: CompanyReading::new(&format!("{reading}ショウジ{number}")).ok()?,
        address: Line::new(&format!("東京都例区見本町{number}")).ok()?,
        phone: PhoneNumber::new(&format!("03-0000-{:04}", number % 10_000)).ok()?,
        website: Website::new(&format!("https://c{number}.example")).ok()?,
        remarks: Remarks::default(),
    })
}

fn customer(number: u64, companies: &[CompanyId]) -> Option<CustomerDetails> {
    let (last, last_kana) = *pick(&LAST_NAMES, 2, number);
    let (first, first_kana) = *pick(&FIRST_NAMES, 3, number);
    details(Draft {
        name: PersonName::new(last, first),
        reading: PersonReading::new(last_kana, first_kana),
        email: format!("u{number}@example.jp"),
        phone: format!("090-{number:08}"),
        user: user_id(number),
        company: Some(*pick(companies, 4, number)),
        remarks: "",
    })
}

async fn add_customers(
    store: &dyn Store,
    crowd: &Crowd,
    companies: &[CompanyId],
    numbers: std::ops::Range<u64>,
) -> Result<Vec<Person>, StoreError> {
    let at = crowd.until.minus(Duration::days(399));
    let bot = crowd.bot.clone();
    let details: Vec<CustomerDetails> = numbers.filter_map(|number| customer(number, companies)).collect();
    let add = store.write(move |uow| {
        let mut ids = Vec::with_capacity(details.len());
        for details in &details {
            ids.push(uow.edit_customers().add_customer(details, at)?);
        }
        let addresses = details.iter().filter_map(|details| details.line_user_id.clone());
        let keys: Vec<ConversationKey> = addresses.map(|address| key(&bot, address)).collect();
        let talks = uow.edit_conversations().open_conversations(&keys, at)?;
        Ok::<_, StoreError>(ids.into_iter().zip(talks).collect())
    });
    add.await
}

fn key(bot: &str, address: LineUserId) -> ConversationKey {
    ConversationKey {
        bot: bot.to_owned(),
        address,
        kind: ConversationKind::Person,
    }
}

async fn add_messages(store: &dyn Store, said: Vec<NewActivity>) -> Result<(), StoreError> {
    let add = store.write(move |uow| {
        uow.edit_activities().add_activities(&said)?;
        for activity in &said {
            if let Some(talk) = activity.conversation_id {
                uow.edit_conversations()
                    .set_link(talk, LinkState::Active, activity.timestamp)?;
            }
        }
        Ok::<_, StoreError>(())
    });
    add.await
}

fn message(crowd: &Crowd, people: &[Person], number: u64) -> Option<NewActivity> {
    // The cube of an even spread: few talk much.
    let even = u128::from(below(1 << 20, 5, number));
    let at = (even * even * even * people.len() as u128) >> 60;
    let (customer_id, talk) = *people.get(usize::try_from(at).ok()?)?;
    let year = Duration::days(365).whole_milliseconds();
    let ago = year - year * i128::from(number) / i128::from(crowd.activities.max(1));
    let words = below(12, 6, number) + 3;
    let text: String = (0..words)
        .map(|word| *pick(&BUSINESS, 7, number * 16 + word))
        .collect();
    Some(NewActivity {
        customer_id,
        conversation_id: Some(talk),
        receipt_id: None,
        send_id: None,
        note_id: None,
        late: false,
        direction: if number % 2 == 1 {
            Direction::Sent
        } else {
            Direction::Received
        },
        kind: MessageKind::Text,
        message: text,
        detail: None,
        timestamp: crowd
            .until
            .minus(Duration::milliseconds(i64::try_from(ago).ok()?)),
    })
}

#[cfg(test)]
mod tests {
    use super::{Crowd, fill_crowd};
    use crm_domain::customers::CustomerFilter;
    use crm_domain::instant::Instant;
    use crm_domain::memory::MemoryStore;
    use crm_domain::paging::PageRequest;
    use crm_domain::ports::store::{StoreError, StoreExt};
    use crm_domain::teams::Visible;

    #[tokio::test]
    async fn a_crowd_has_its_size_and_few_talk_much() {
        let store = MemoryStore::new();
        let crowd = Crowd {
            bot: "2000001".to_owned(),
            customers: 2_100,
            activities: 4_500,
            until: Instant::parse("2026-11-22T12:00:00Z").unwrap(),
        };
        let mut seen = 0;
        fill_crowd(&store, &crowd, |rows| seen = rows).await.unwrap();
        assert_eq!(seen, 210 + 2_100 + 4_500);
        let (customers, first) = store
            .read(|unit| {
                let list = unit.customers().customer_list(
                    &CustomerFilter::default(),
                    &PageRequest::first(9_999),
                    &Visible::All,
                )?;
                let mut ids: Vec<_> = list.items.iter().map(|line| line.customer.id).collect();
                ids.sort();
                let first = unit.activities().activities_before(ids[0], None, 9_999)?;
                Ok::<_, StoreError>((ids.len(), first.len()))
            })
            .await
            .unwrap();
        assert_eq!(customers, 2_100);
        assert!(first > 200, "{first}");
        let counts = store
            .read(|unit| unit.board().board_counts(None, &Visible::All, 9_999))
            .await;
        let waiting = counts.unwrap().waiting;
        assert!((1..100).contains(&waiting), "{waiting}");
    }
}
