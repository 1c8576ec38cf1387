//! Messages from a CSV file: taken once, however often the file comes, and shown all at once.

use std::collections::{BTreeMap, HashMap};

use crm_domain::activities::{Direction, MessageKind, NewActivity};
use crm_domain::conversations::{ConversationId, ConversationKey, ConversationKind};
use crm_domain::customers::{CustomerFilter, CustomerId, CustomerLine, CustomerPrefix};
use crm_domain::imports::{ImportedKind, Origin};
use crm_domain::instant::Instant;
use crm_domain::paging::PageRequest;
use crm_domain::values::{LineUserId, Problem};

use super::lookup::id;
use super::report::{Refusal, TableReport};
use super::sheet::{Record, Sheet};
use crate::context::Desk;
use crate::failure::Failure;
use crate::poc::{SENT, read_time};

/// Name of CSV files in the table of imports.
const SOURCE: &str = "csv";
/// Rows written in one unit of work.
const CHUNK: usize = 2_000;

pub(super) async fn import(desk: &Desk, sheet: &Sheet) -> Result<TableReport, Failure> {
    let mut report = TableReport::default();
    let mut seen: HashMap<[u8; 16], i64> = HashMap::new();
    let mut messages = Vec::new();
    for record in &sheet.records {
        match message(desk, record).await {
            Ok((line, new)) => {
                let digest = digest(desk, &new);
                let times = seen.entry(digest).or_insert(0);
                *times += 1;
                let origin = Origin {
                    kind: ImportedKind::Activity,
                    // Which of several equal lines it is.
                    foreign_id: *times,
                    digest,
                };
                messages.push((origin, new, line));
            }
            Err(refusal) => report.note(record.line, Err(refusal))?,
        }
    }
    take(desk, messages, &mut report).await?;
    Ok(report)
}

type Taken = (Origin, NewActivity, CustomerLine);

async fn take(desk: &Desk, messages: Vec<Taken>, report: &mut TableReport) -> Result<(), Failure> {
    if messages.is_empty() {
        return Ok(());
    }
    let crm = &desk.parts.crm;
    let import = crm.begin_import(&desk.actor, SOURCE).await?;
    let mut said: BTreeMap<ConversationId, Instant> = BTreeMap::new();
    for chunk in messages.chunks(CHUNK) {
        let talks = talks(desk, chunk).await?;
        let mut rows = Vec::with_capacity(chunk.len());
        for ((origin, message, _), talk) in chunk.iter().zip(&talks) {
            let message = NewActivity {
                conversation_id: *talk,
                ..message.clone()
            };
            rows.push((origin.clone(), message));
        }
        let taken = crm.import_activities(&desk.actor, &import, rows).await?;
        report.created += taken.added as u64;
        report.unchanged += (chunk.len() - taken.added) as u64;
        if taken.added > 0 {
            for (talk, (_, message, _)) in talks.iter().zip(chunk) {
                if let Some(talk) = talk {
                    let last = said.entry(*talk).or_insert(message.timestamp);
                    *last = message.timestamp.max(*last);
                }
            }
        }
    }
    crm.note_imported_talk(&desk.actor, said.into_iter().collect())
        .await?;
    Ok(crm.finish_import(&desk.actor, &import).await?)
}

/// The conversation of each message's customer with our bot, if the customer has a user id.
async fn talks(desk: &Desk, chunk: &[Taken]) -> Result<Vec<Option<ConversationId>>, Failure> {
    let user = |(_, _, line): &Taken| line.customer.details.line_user_id.clone();
    let mut users: Vec<LineUserId> = chunk.iter().filter_map(user).collect();
    users.sort();
    users.dedup();
    let bot = desk.parts.settings.bot_id.clone().unwrap_or_default();
    let key = |address: &LineUserId| ConversationKey {
        bot: bot.clone(),
        address: address.clone(),
        kind: ConversationKind::Person,
    };
    let keys = users.iter().map(key).collect();
    let opened = desk
        .parts
        .crm
        .open_imported_conversations(&desk.actor, keys)
        .await?;
    let opened: HashMap<LineUserId, ConversationId> = users.into_iter().zip(opened).collect();
    let talk = |taken: &Taken| user(taken).and_then(|user| opened.get(&user).copied());
    Ok(chunk.iter().map(talk).collect())
}

async fn message(desk: &Desk, record: &Record) -> Result<(CustomerLine, NewActivity), Refusal> {
    let line = customer(desk, record).await?;
    let text = record.get("message").unwrap_or_default();
    let (direction, text) = direction(record, text)?;
    if text.trim().is_empty() {
        return Err(Refusal::field("message", Problem::Required));
    }
    let at = record.text("timestamp");
    let timestamp = match at {
        "" => return Err(Refusal::field("timestamp", Problem::Required)),
        text => {
            read_time(text, desk.zone()).ok_or_else(|| Refusal::field("timestamp", Problem::Malformed))?
        }
    };
    let new = NewActivity {
        customer_id: line.customer.id,
        conversation_id: None,
        receipt_id: None,
        send_id: None,
        note_id: None,
        late: false,
        direction,
        kind: MessageKind::Text,
        message: text.replace('\0', "\u{fffd}"),
        detail: None,
        timestamp,
    };
    Ok((line, new))
}

/// From its own column, or from the prefix that a sent message carries in plain text.
fn direction<'a>(record: &Record, text: &'a str) -> Result<(Direction, &'a str), Refusal> {
    let stripped = text.strip_prefix(SENT);
    match record.text("direction") {
        "" => Ok(stripped.map_or((Direction::Received, text), |text| (Direction::Sent, text))),
        "sent" | "送信" => Ok((Direction::Sent, stripped.unwrap_or(text))),
        "received" | "受信" => Ok((Direction::Received, text)),
        _ => Err(Refusal::field("direction", Problem::NotAChoice)),
    }
}

/// By id, or by a user id that one customer carries.
async fn customer(desk: &Desk, record: &Record) -> Result<CustomerLine, Refusal> {
    let wanted: Option<CustomerId> = id(record, "customer_id")?;
    if let Some(id) = wanted {
        let found = desk.parts.crm.show_customer(&desk.actor, id).await;
        return found.map_err(|error| match error {
            crm_domain::error::Error::NotFound(_) => Refusal::field("customer_id", Problem::Missing),
            other => other.into(),
        });
    }
    let user = record.text("line_user_id");
    if user.is_empty() {
        return Err(Refusal::field("customer_id", Problem::Required));
    }
    let filter = CustomerFilter {
        prefix: CustomerPrefix::new(user),
        company: None,
    };
    let page = desk
        .parts
        .crm
        .list_customers(&desk.actor, filter, PageRequest::first(100))
        .await?;
    let carries = |line: &CustomerLine| {
        let carried = line.customer.details.line_user_id.as_ref();
        carried.is_some_and(|carried| carried.as_str() == user)
    };
    page.items
        .into_iter()
        .find(carries)
        .ok_or_else(|| Refusal::field("line_user_id", Problem::Missing))
}

fn digest(desk: &Desk, new: &NewActivity) -> [u8; 16] {
    let text = format!(
        "{}\n{}\n{}\n{}",
        new.customer_id,
        new.timestamp,
        new.direction.code(),
        new.message
    );
    let hash = desk.parts.secrets.hash(text.as_bytes());
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash[..16]);
    digest
}
