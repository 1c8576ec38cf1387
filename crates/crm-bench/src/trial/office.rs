//! What an operator does on the server's data: customers and a token before a trial, reading conversations after it.

use anyhow::Context as _;
use crm_compose::settings::Source;
use crm_compose::{Composition, Need, Settings};
use crm_domain::activities::{Activity, ActivityPlace};
use crm_domain::customers::{CustomerDetails, CustomerId};
use crm_domain::instant::Instant;
use crm_domain::members::{Role, Scopes};
use crm_domain::permissions::Actor;
use crm_domain::use_cases::{Crm, MemberForm, TokenForm};
use crm_domain::values::{EmailAddress, LineUserId, PersonName, PersonReading, Remarks};

/// How many messages are read at a time.
const PAGE: usize = 500;

/// The use cases on the server's database, while it is held.
pub struct Office {
    crm: Crm,
}

/// Who writes and to whom, known before the first kill.
#[derive(Debug, Clone)]
pub struct Desk {
    /// A token with which messages are sent.
    pub token: String,
    /// The customers, with their user ids.
    pub customers: Vec<(CustomerId, String)>,
    /// The user id of somebody who writes and is no customer.
    pub stranger: String,
}

/// The address with which the staff of a trial signs in.
pub(crate) const EMAIL: &str = "trial@example.jp";
/// And the password.
pub(crate) const PASSWORD: &str = "only for trials, of no worth";

impl std::fmt::Debug for Office {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Office").finish_non_exhaustive()
    }
}

fn operator() -> Actor {
    Actor::Operator {
        name: "trial".to_owned(),
    }
}

impl Office {
    pub(crate) async fn open(settings: &[(String, String)]) -> anyhow::Result<Self> {
        let loaded = Settings::read(&Source::new(settings.to_vec(), None), Need::Everything)
            .map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
        let (parts, _) = Composition::for_command(loaded.settings)
            .await
            .map_err(|problem| anyhow::anyhow!("{problem:?}"))?;
        Ok(Self { crm: parts.crm })
    }

    /// Makes so many customers and somebody who writes to them.
    pub async fn furnish(&self, customers: usize) -> anyhow::Result<Desk> {
        let form = MemberForm {
            email: EMAIL.to_owned(),
            name: "試験".to_owned(),
            role: Role::Member,
            password: Some(PASSWORD.to_owned()),
        };
        let member = self.crm.add_member(&operator(), form).await?;
        let form = TokenForm {
            member,
            name: "trial".to_owned(),
            scopes: Scopes::ALL,
            expires_at: None,
        };
        let token = self.crm.create_token(&operator(), form).await?;
        let mut list = Vec::with_capacity(customers);
        for number in 0..customers {
            let user = crm_samples::user_id(number as u64);
            list.push((self.register(&user).await?, user));
        }
        Ok(Desk {
            token,
            customers: list,
            stranger: crm_samples::user_id(customers as u64),
        })
    }

    /// Makes a customer of a user id, whoever wrote under it before.
    pub async fn register(&self, user: &str) -> anyhow::Result<CustomerId> {
        let details = details(user).context("a customer's details")?;
        Ok(self.crm.register_customer(&operator(), details).await?)
    }

    /// Since when a customer waits for us, as the board says.
    pub async fn waits_since(&self, customer: CustomerId) -> anyhow::Result<Option<Instant>> {
        let lines = self.crm.conversations_of_customer(&operator(), customer).await?;
        Ok(lines
            .iter()
            .find_map(|line| line.conversation.standing.waiting_since))
    }

    /// A customer's whole conversation, oldest first.
    pub async fn conversation(&self, customer: CustomerId) -> anyhow::Result<Vec<Activity>> {
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let page = self.crm.conversation(&operator(), customer, before, PAGE).await?;
            let Some(last) = page.last() else { break };
            before = Some(ActivityPlace {
                timestamp: last.timestamp,
                id: last.id,
            });
            all.extend(page);
        }
        all.reverse();
        Ok(all)
    }
}

fn details(user: &str) -> Option<CustomerDetails> {
    Some(CustomerDetails {
        name: PersonName::new("試験", user).ok()?,
        reading: PersonReading::new("", "").ok()?,
        email: EmailAddress::new("").ok()?,
        phone: None,
        line_user_id: LineUserId::new(user).ok()?,
        company_id: None,
        remarks: Remarks::new("").ok()?,
    })
}
