//! Conversations.

use std::collections::{HashMap, HashSet};

use crm_domain::activities::Direction;
use crm_domain::conversations::{
    Conversation, ConversationId, ConversationKey, ConversationKind, ConversationQueries,
    ConversationRepository, LinkState,
};
use crm_domain::instant::Instant;
use crm_domain::ports::store::StoreError;
use crm_domain::sends::SendState;
use crm_domain::standings::Standing;
use crm_domain::values::LineUserId;
use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::standings::{self, StandingRow};
use super::{Conn, Uow};
use crate::cached::update;
use crate::fault::Fault;
use crate::found::{in_pieces, rows};
use crate::mend::{corrupt, user_id};
use crate::schema::{activities, conversations, sends};
use crate::stamp::Stamp;

#[derive(Queryable, Selectable)]
#[diesel(table_name = conversations)]
pub(super) struct ConversationRow {
    id: i64,
    bot: String,
    address: String,
    kind: String,
    link: String,
    link_at: Stamp,
    claim_due: bool,
    #[diesel(embed)]
    standing: StandingRow,
}

impl ConversationRow {
    pub(super) fn key(&self) -> Result<ConversationKey, StoreError> {
        let bad = |column| corrupt("conversations", column, self.id);
        Ok(ConversationKey {
            bot: self.bot.clone(),
            address: user_id(Some(&self.address)).ok_or_else(|| bad("address"))?,
            kind: ConversationKind::from_code(&self.kind).ok_or_else(|| bad("kind"))?,
        })
    }
}

impl TryFrom<ConversationRow> for Conversation {
    type Error = StoreError;

    fn try_from(row: ConversationRow) -> Result<Self, StoreError> {
        let link = LinkState::from_code(&row.link);
        Ok(Self {
            id: ConversationId::new(row.id),
            key: row.key()?,
            link: link.ok_or_else(|| corrupt("conversations", "link", row.id))?,
            link_at: row.link_at.0,
            claim_due: row.claim_due,
            standing: row.standing.try_into()?,
        })
    }
}

/// What is known of the lines to these people, over all bots.
pub(super) fn link_states(
    conn: &mut Conn,
    people: Vec<String>,
) -> Result<HashMap<String, Vec<(LinkState, Instant)>>, Fault> {
    let rows: Vec<(i64, String, String, Stamp)> = conversations::table
        .filter(conversations::address.eq_any(people))
        .filter(conversations::kind.eq(ConversationKind::Person.code()))
        .select((
            conversations::id,
            conversations::address,
            conversations::link,
            conversations::link_at,
        ))
        .load(conn)?;
    let mut states = HashMap::<_, Vec<_>>::new();
    for (id, address, link, at) in rows {
        let link = LinkState::from_code(&link).ok_or_else(|| corrupt("conversations", "link", id))?;
        states.entry(address).or_default().push((link, at.0));
    }
    Ok(states)
}

type Part = (String, String, String);
type Known = HashMap<Part, ConversationId>;

fn part(key: &ConversationKey) -> Part {
    (
        key.address.as_str().to_owned(),
        key.bot.clone(),
        key.kind.code().to_owned(),
    )
}

fn known(conn: &mut Conn, keys: &[&ConversationKey]) -> Result<Known, Fault> {
    let addresses: HashSet<&str> = keys.iter().map(|key| key.address.as_str()).collect();
    let addresses: Vec<&str> = addresses.into_iter().collect();
    let rows: Vec<(Part, i64)> = in_pieces(&addresses, |addresses| {
        Ok(conversations::table
            .filter(conversations::address.eq_any(addresses))
            .select((
                (conversations::address, conversations::bot, conversations::kind),
                conversations::id,
            ))
            .load(conn)?)
    })?;
    let rows = rows.into_iter();
    Ok(rows.map(|(key, id)| (key, ConversationId::new(id))).collect())
}

fn insert(conn: &mut Conn, key: &ConversationKey, at: Instant) -> Result<(), Fault> {
    diesel::insert_into(conversations::table)
        .values((
            conversations::bot.eq(&key.bot),
            conversations::address.eq(key.address.as_str()),
            conversations::kind.eq(key.kind.code()),
            conversations::link.eq(LinkState::Unconfirmed.code()),
            conversations::link_at.eq(Stamp(Conversation::no_event())),
            conversations::created_at.eq(Stamp(at)),
        ))
        .on_conflict((conversations::address, conversations::bot, conversations::kind))
        .do_nothing()
        .execute(conn)?;
    Ok(())
}

impl ConversationQueries for Uow<'_> {
    fn conversation(&mut self, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
        self.run(|conn| {
            let row = conversations::table
                .find(id.get())
                .select(ConversationRow::as_select())
                .first(conn)
                .optional()?;
            Ok(row.map(Conversation::try_from).transpose()?)
        })
    }

    fn conversations_with(&mut self, people: &[LineUserId]) -> Result<Vec<Conversation>, StoreError> {
        self.run(|conn| {
            let mut rows: Vec<ConversationRow> = in_pieces(people, |people| {
                Ok(conversations::table
                    .filter(conversations::address.eq_any(people.iter().map(LineUserId::as_str)))
                    .filter(conversations::kind.eq(ConversationKind::Person.code()))
                    .select(ConversationRow::as_select())
                    .load(conn)?)
            })?;
            rows.sort_by_key(|row| row.id);
            let found = rows.into_iter().map(Conversation::try_from);
            Ok(found.collect::<Result<_, _>>()?)
        })
    }

    fn conversations_by_id(&mut self, ids: &[ConversationId]) -> Result<Vec<Conversation>, StoreError> {
        self.run(|conn| {
            let rows: Vec<ConversationRow> = in_pieces(ids, |ids| {
                Ok(conversations::table
                    .filter(conversations::id.eq_any(ids.iter().map(|id| id.get())))
                    .select(ConversationRow::as_select())
                    .load(conn)?)
            })?;
            let rows = rows
                .into_iter()
                .map(|row| Ok((row.id, Conversation::try_from(row)?)));
            let found: HashMap<i64, Conversation> = rows.collect::<Result<_, StoreError>>()?;
            Ok(ids
                .iter()
                .filter_map(|id| found.get(&id.get()).cloned())
                .collect())
        })
    }

    fn claims_due(&mut self, limit: usize) -> Result<Vec<ConversationId>, StoreError> {
        self.run(|conn| {
            let due: Vec<i64> = conversations::table
                .filter(sql::<Bool>("claim_due = TRUE"))
                .order_by(conversations::id)
                .limit(rows(limit))
                .select(conversations::id)
                .load(conn)?;
            Ok(due.into_iter().map(ConversationId::new).collect())
        })
    }

    fn rooms_among(&mut self, channels: &[LineUserId]) -> Result<Vec<LineUserId>, StoreError> {
        self.run(|conn| {
            let rooms: Vec<String> = in_pieces(channels, |channels| {
                Ok(conversations::table
                    .filter(conversations::address.eq_any(channels.iter().map(LineUserId::as_str)))
                    .filter(conversations::kind.eq(ConversationKind::Room.code()))
                    .select(conversations::address)
                    .load(conn)?)
            })?;
            let rooms: HashSet<String> = rooms.into_iter().collect();
            let known = channels.iter().filter(|channel| rooms.contains(channel.as_str()));
            Ok(known.cloned().collect())
        })
    }

    fn has_confirmed_message(&mut self, id: ConversationId) -> Result<bool, StoreError> {
        self.run(|conn| {
            // Received, imported as sent, or accepted.
            let confirmed = activities::table
                .left_join(sends::table)
                .filter(activities::conversation_id.eq(id.get()))
                .filter(activities::deleted_at.is_null())
                .filter(activities::direction.ne(Direction::Note.code()))
                .filter(
                    activities::send_id
                        .is_null()
                        .or(sends::state.eq(SendState::Sent.code())),
                );
            Ok(diesel::select(exists(confirmed)).get_result(conn)?)
        })
    }
}

impl ConversationRepository for Uow<'_> {
    fn open_conversations(
        &mut self,
        keys: &[ConversationKey],
        at: Instant,
    ) -> Result<Vec<ConversationId>, StoreError> {
        self.run(|conn| {
            let mut ids = known(conn, &keys.iter().collect::<Vec<_>>())?;
            let missing: Vec<_> = keys.iter().filter(|key| !ids.contains_key(&part(key))).collect();
            if !missing.is_empty() {
                // In one order, so that two who open the same ones do not wait for each other.
                let mut ordered = missing.clone();
                ordered.sort_by_key(|key| part(key));
                for key in ordered {
                    insert(conn, key, at)?;
                }
                // Looked up again: another may have added one of them in between.
                ids.extend(known(conn, &missing)?);
            }
            let found = keys.iter().map(|key| ids.get(&part(key)).copied());
            let ids: Option<Vec<_>> = found.collect();
            Ok(ids.ok_or(diesel::result::Error::NotFound)?)
        })
    }

    fn save_standings(&mut self, standings: &[(ConversationId, Standing)]) -> Result<(), StoreError> {
        self.run(|conn| {
            standings
                .iter()
                .try_for_each(|(id, standing)| standings::save(conn, *id, standing))
        })
    }

    fn set_claim_due(&mut self, id: ConversationId, due: bool) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::update(conversations::table.find(id.get()))
                .set(conversations::claim_due.eq(due))
                .execute(conn)?;
            Ok(())
        })
    }

    fn set_link(&mut self, id: ConversationId, link: LinkState, at: Instant) -> Result<(), StoreError> {
        self.run(|conn| {
            let older = conversations::id
                .eq(id.get())
                .and(conversations::link_at.le(Stamp(at)));
            let values = (
                conversations::link.eq(link.code()),
                conversations::link_at.eq(Stamp(at)),
            );
            update(conversations::table, older, values).execute(conn)?;
            Ok(())
        })
    }

    fn reset_link(&mut self, id: ConversationId, link: LinkState) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::update(conversations::table.find(id.get()))
                .set(conversations::link.eq(link.code()))
                .execute(conn)?;
            Ok(())
        })
    }
}
