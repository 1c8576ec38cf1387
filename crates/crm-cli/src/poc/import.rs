//! Takes the old database in by chunks; nothing is visible before all of it is there.

use std::collections::{BTreeMap, HashMap};

use crm_compose::{Composition, TimeZone};
use crm_domain::activities::{Direction, MessageKind, NewActivity};
use crm_domain::companies::{CompanyDetails, CompanyId};
use crm_domain::conversations::{ConversationId, ConversationKey, ConversationKind};
use crm_domain::customers::{CustomerDetails, CustomerId};
use crm_domain::error::Error;
use crm_domain::imports::{Import, Origin};
use crm_domain::instant::Instant;
use crm_domain::permissions::Actor;
use crm_domain::ports::store::StoreExt as _;
use crm_domain::values::LineUserId;
use indicatif::ProgressBar;
use serde_json::json;

use super::differ::{self, Known};
use super::mend::Mender;
use super::origin::{self, SOURCE};
use super::report::Report;
use super::source::{PocActivity, PocCustomer, PocFile};
use super::times;
use crate::context::Desk;
use crate::failure::Failure;
use crate::progress;
use crate::texts::Texts;

/// The prefix of sent messages in the old system (§4.4.2), at the very beginning only.
pub(crate) const SENT: &str = "[送信] ";

/// Takes everything in. The caller holds the store's lock. An import that was broken off is taken up again.
pub(crate) async fn import(
    desk: &Desk,
    mut file: PocFile,
    zone: &TimeZone,
    texts: &Texts,
) -> Result<Report, Failure> {
    let import = desk.parts.crm.begin_import(&desk.actor, SOURCE).await?;
    let mut work = Work {
        parts: &desk.parts,
        actor: &desk.actor,
        bar: progress::bar(file.count()?),
        started: desk.parts.crm.now(),
        mender: Mender::new(texts),
        report: Report::default(),
        companies: HashMap::new(),
        customers: HashMap::new(),
        talks: HashMap::new(),
        said: BTreeMap::new(),
        import,
        zone,
    };
    work.take_companies(&mut file).await?;
    work.take_customers(&mut file).await?;
    work.take_missing(&mut file).await?;
    work.take_activities(&mut file).await?;
    work.finish().await
}

/// A customer of the old system here.
#[derive(Clone, Copy)]
struct Person {
    customer: CustomerId,
    talk: Option<ConversationId>,
}

struct Work<'a> {
    parts: &'a Composition,
    actor: &'a Actor,
    bar: ProgressBar,
    started: Instant,
    mender: Mender<'a>,
    report: Report,
    companies: HashMap<i64, CompanyId>,
    customers: HashMap<i64, Person>,
    talks: HashMap<LineUserId, ConversationId>,
    said: BTreeMap<ConversationId, Instant>,
    import: Import,
    zone: &'a TimeZone,
}

impl Work<'_> {
    async fn take_companies(&mut self, file: &mut PocFile) -> Result<(), Failure> {
        let mut after = i64::MIN;
        loop {
            let rows = file.companies(after)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.id;
            let mut ours = Vec::with_capacity(rows.len());
            for row in &rows {
                let origin = origin::of_company(self.parts.secrets.as_ref(), row);
                ours.push((origin, self.mender.company(row)?));
            }
            let details: Vec<CompanyDetails> = ours.iter().map(|(_, details)| details.clone()).collect();
            let taken = self
                .parts
                .crm
                .import_companies(self.actor, &self.import, ours)
                .await?;
            let known = rows.iter().zip(&taken.ids).zip(details);
            let known = known.map(|((row, id), details)| Known {
                foreign_id: row.id,
                id: *id,
                details,
            });
            let differing = differ::companies(self.parts.store.as_ref(), known.collect()).await?;
            let count = &mut self.report.companies;
            count.add(taken.added, differing.len(), rows.len());
            self.report.differing.extend(differing);
            let ids = taken.ids.into_iter().map(CompanyId::new);
            self.companies.extend(rows.iter().map(|row| row.id).zip(ids));
            self.bar.inc(rows.len() as u64);
        }
    }

    async fn take_customers(&mut self, file: &mut PocFile) -> Result<(), Failure> {
        let mut after = i64::MIN;
        loop {
            let rows = file.customers(after)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.id;
            let known = self.known_customers(&rows).await?;
            let mut fresh = Vec::new();
            let mut before = Vec::new();
            let mut users = Vec::with_capacity(rows.len());
            for (row, known) in rows.iter().zip(&known) {
                let company = row.company_id.and_then(|id| self.companies.get(&id).copied());
                let details = self.mender.customer(row, company)?;
                users.push(details.line_user_id.clone());
                match *known {
                    None => fresh.push((origin::of_customer(self.parts.secrets.as_ref(), row), details)),
                    Some(id) => before.push(Known {
                        foreign_id: row.id,
                        id,
                        details,
                    }),
                }
            }
            let talks = self.open_talks(&users).await?;
            let taken = self
                .parts
                .crm
                .import_customers(self.actor, &self.import, fresh)
                .await?;
            let differing = differ::customers(self.parts.store.as_ref(), before).await?;
            let count = &mut self.report.customers;
            count.add(taken.added, differing.len(), rows.len());
            self.report.differing.extend(differing);
            let mut new = taken.ids.into_iter();
            for ((row, known), talk) in rows.iter().zip(known).zip(talks) {
                let id = known.or_else(|| new.next()).ok_or(Error::NotFound("customer"))?;
                let customer = CustomerId::new(id);
                self.customers.insert(row.id, Person { customer, talk });
            }
            self.bar.inc(rows.len() as u64);
        }
    }

    /// Who was taken before, under either of the two marks.
    async fn known_customers(&self, rows: &[PocCustomer]) -> Result<Vec<Option<i64>>, Failure> {
        let secrets = self.parts.secrets.as_ref();
        let both = |row| {
            [
                origin::of_customer(secrets, row),
                origin::of_customer_name(secrets, row),
            ]
        };
        let origins: Vec<Origin> = rows.iter().flat_map(both).collect();
        let found = self
            .parts
            .store
            .read(move |unit| unit.imports().imported(SOURCE, &origins));
        let found: Vec<Option<i64>> = found.await.map_err(Error::Store)?;
        Ok(found
            .chunks(2)
            .map(|pair| pair.iter().copied().flatten().next())
            .collect())
    }

    /// For each user id its conversation with our bot.
    async fn open_talks(
        &mut self,
        users: &[Option<LineUserId>],
    ) -> Result<Vec<Option<ConversationId>>, Failure> {
        let mut new: Vec<LineUserId> = users.iter().flatten().cloned().collect();
        new.retain(|user| !self.talks.contains_key(user));
        new.sort();
        new.dedup();
        let bot = self.parts.settings.bot_id.clone().unwrap_or_default();
        let key = |user: &LineUserId| ConversationKey {
            bot: bot.clone(),
            address: user.clone(),
            kind: ConversationKind::Person,
        };
        let keys = new.iter().map(key).collect();
        let opened = self
            .parts
            .crm
            .open_imported_conversations(self.actor, keys)
            .await?;
        self.talks.extend(new.into_iter().zip(opened));
        let talk = |user: &Option<LineUserId>| user.as_ref().and_then(|user| self.talks.get(user).copied());
        Ok(users.iter().map(talk).collect())
    }

    /// Messages of customers who are gone get a customer made for them.
    async fn take_missing(&mut self, file: &mut PocFile) -> Result<(), Failure> {
        let missing = file.missing_customers()?;
        let mut ours: Vec<(Origin, CustomerDetails)> = Vec::with_capacity(missing.len());
        for id in &missing {
            let origin = origin::of_missing(self.parts.secrets.as_ref(), *id);
            ours.push((origin, self.mender.missing_customer(*id)?));
        }
        let taken = self
            .parts
            .crm
            .import_customers(self.actor, &self.import, ours)
            .await?;
        self.report.customers.add(taken.added, 0, missing.len());
        for (id, ours) in missing.into_iter().zip(taken.ids) {
            let customer = CustomerId::new(ours);
            self.customers.insert(id, Person { customer, talk: None });
        }
        Ok(())
    }

    async fn take_activities(&mut self, file: &mut PocFile) -> Result<(), Failure> {
        let mut after = i64::MIN;
        loop {
            let rows = file.activities(after)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.id;
            let mut ours = Vec::with_capacity(rows.len());
            for row in &rows {
                let person = self.customers.get(&row.customer_id).copied();
                let person = person.ok_or(Error::NotFound("customer"))?;
                let origin = origin::of_activity(self.parts.secrets.as_ref(), row);
                ours.push((origin, self.message(row, person)));
            }
            let talks: Vec<(ConversationId, Instant)> = ours
                .iter()
                .filter_map(|(_, message)| Some((message.conversation_id?, message.timestamp)))
                .collect();
            let taken = self
                .parts
                .crm
                .import_activities(self.actor, &self.import, ours)
                .await?;
            self.report.activities.add(taken.added, 0, rows.len());
            if taken.added > 0 {
                self.note_said(talks);
            }
            self.bar.inc(rows.len() as u64);
        }
    }

    fn note_said(&mut self, talks: Vec<(ConversationId, Instant)>) {
        for (talk, at) in talks {
            let last = self.said.entry(talk).or_insert(at);
            *last = at.max(*last);
        }
    }

    fn message(&mut self, row: &PocActivity, person: Person) -> NewActivity {
        let (direction, text) = match row.message.strip_prefix(SENT) {
            Some(text) => (Direction::Sent, text),
            None => (Direction::Received, row.message.as_str()),
        };
        let read = times::read(&row.timestamp, self.zone);
        let detail = if read.is_none() {
            self.mender.count("unreadable_time");
            Some(json!({"imported": {"timestamp": row.timestamp}}).to_string())
        } else {
            None
        };
        NewActivity {
            customer_id: person.customer,
            conversation_id: person.talk,
            receipt_id: None,
            send_id: None,
            note_id: None,
            late: false,
            direction,
            kind: MessageKind::Text,
            message: text.replace('\0', "\u{fffd}"),
            detail,
            timestamp: read.unwrap_or(self.started),
        }
    }

    /// Marks the links as working, then shows everything at once.
    async fn finish(mut self) -> Result<Report, Failure> {
        let said: Vec<(ConversationId, Instant)> = std::mem::take(&mut self.said).into_iter().collect();
        for chunk in said.chunks(2_000) {
            self.parts
                .crm
                .note_imported_talk(self.actor, chunk.to_vec())
                .await?;
        }
        self.parts.crm.finish_import(self.actor, &self.import).await?;
        self.bar.finish_and_clear();
        self.report.mended = self.mender.mended;
        Ok(self.report)
    }
}
