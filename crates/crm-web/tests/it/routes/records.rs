//! Records to ask about.

use std::sync::atomic::{AtomicU32, Ordering};

use crm_domain::attachments::AttachmentState;
use crm_domain::companies::CompanyDetails;
use crm_domain::customers::CustomerId;
use crm_domain::members::{LinkPurpose, MemberId, Role, Scopes};
use crm_domain::teams::{Sees, TeamDetails};
use crm_domain::use_cases::{Recipient, TokenForm};
use crm_domain::values::{CompanyName, CompanyReading, MessageText, Remarks};
use crm_lineworks_sim::callbacks;

use super::table::{About, Data, Row};
use crate::harness::{TestServer, until};

/// The name of every customer that is made here.
pub(super) const HIDDEN: &str = "雲隠";

/// A record's numbers, as they stand in paths and forms.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    pub id: String,
    pub customer: String,
    pub user: String,
}

/// A request that is about a record.
#[derive(Debug, Clone)]
pub(super) struct Filled {
    pub path: String,
    pub body: String,
}

impl Record {
    /// None: its number belongs to nothing.
    pub(super) fn missing(number: &str) -> Self {
        Self {
            id: number.to_owned(),
            customer: "1".to_owned(),
            user: number.to_owned(),
        }
    }

    /// The path for this record.
    pub(super) fn path(&self, pattern: &str) -> String {
        let parts: Vec<&str> = pattern
            .split('/')
            .map(|part| match part {
                ":version" => "x",
                "*path" => "icons/icon.svg",
                ":user_id" => &self.user,
                _ if part.starts_with(':') => &self.id,
                _ => part,
            })
            .collect();
        parts.join("/")
    }

    /// The request for this record.
    pub(super) fn fill(&self, row: &Row) -> Filled {
        let own = |text: &str| {
            text.replace("{customer}", &self.customer)
                .replace("{user}", &self.user)
                .replace("{id}", &self.id)
        };
        let body = match row.data {
            Data::Json(text) => own(text),
            Data::Form(fields) => {
                let encode = crate::harness::http::encode;
                let pairs: Vec<String> = fields
                    .iter()
                    .map(|(name, value)| format!("{name}={}", encode(&own(value))))
                    .collect();
                pairs.join("&")
            }
        };
        Filled {
            path: self.path(row.path),
            body,
        }
    }
}

/// Makes records.
pub(super) struct Records<'a> {
    server: &'a TestServer,
    /// Whose customers they are; nobody's if nobody is named.
    owner: Option<MemberId>,
    count: AtomicU32,
}

impl<'a> Records<'a> {
    pub(super) fn new(server: &'a TestServer) -> Self {
        Self {
            server,
            owner: None,
            count: AtomicU32::new(0),
        }
    }

    /// Those of somebody's customers.
    pub(super) fn of_customers_of(server: &'a TestServer, owner: MemberId) -> Self {
        Self {
            owner: Some(owner),
            count: AtomicU32::new(100_000),
            ..Self::new(server)
        }
    }

    fn number(&self) -> u32 {
        self.count.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A user id that nobody has so far; the simulator takes it for a member.
    fn user(&self) -> String {
        format!("0b1c2d3e-0000-4000-8000-{:012}", self.number() + 1_000)
    }

    /// A new record.
    pub(super) async fn of(&self, about: About) -> Record {
        let id = match about {
            About::Nothing => {
                return Record {
                    user: self.user(),
                    ..Record::default()
                };
            }
            About::Customer | About::User => return self.customer().await,
            About::Conversation | About::Activity | About::Send => return self.talk(about).await,
            About::Sender => return self.sender().await,
            About::File => return self.file().await,
            About::Company => self.company().await,
            About::TrashedCustomer => self.trashed_customer().await,
            About::TrashedCompany => self.trashed_company().await,
            About::Hold => self.hold().await,
            About::Member => self.member().await,
            About::Link => self.link().await,
            About::Session => self.session().await,
            About::Token => self.token().await,
            About::Team => self.team().await,
        };
        Record {
            id,
            user: self.user(),
            ..Record::default()
        }
    }

    /// The public name of somebody's session.
    async fn session(&self) -> String {
        let email = format!("signed-in-{}@example.jp", self.number());
        let member = self.server.add_member(&email, Role::Viewer).await;
        super::readers::session(self.server, member).await;
        let operator = TestServer::operator();
        let lines = self.server.crm.list_sessions(&operator, None).await.unwrap();
        let own = lines.into_iter().find(|line| line.member.id == member);
        own.expect("a session").id
    }

    async fn token(&self) -> String {
        let email = format!("program-{}@example.jp", self.number());
        let form = TokenForm {
            member: self.server.add_member(&email, Role::Viewer).await,
            name: email.clone(),
            scopes: Scopes::ALL,
            expires_at: None,
        };
        let (crm, operator) = (&self.server.crm, TestServer::operator());
        crm.create_token(&operator, form).await.unwrap();
        let tokens = crm.list_tokens(&operator).await.unwrap();
        let own = tokens.into_iter().find(|(token, _)| token.name == email);
        own.expect("a token").0.id.to_string()
    }

    async fn team(&self) -> String {
        let details = TeamDetails {
            name: format!("チーム{}", self.number()),
            sees: Sees::Own,
        };
        let operator = TestServer::operator();
        let id = self.server.crm.add_team(&operator, details).await;
        id.unwrap().to_string()
    }

    async fn customer(&self) -> Record {
        let user = self.user();
        let id = self.server.add_customer(HIDDEN, "太郎", Some(&user)).await;
        if self.owner.is_some() {
            let operator = TestServer::operator();
            let assigned = self.server.crm.assign_owner(&operator, id, self.owner).await;
            assigned.unwrap();
        }
        Record {
            customer: id.to_string(),
            id: id.to_string(),
            user,
        }
    }

    async fn trashed_customer(&self) -> String {
        let customer = self.customer().await.id;
        let (crm, operator) = (&self.server.crm, TestServer::operator());
        crm.discard_customer(&operator, customer.parse().unwrap())
            .await
            .unwrap();
        customer
    }

    async fn trashed_company(&self) -> String {
        let company = self.company().await;
        let (crm, operator) = (&self.server.crm, TestServer::operator());
        crm.discard_company(&operator, company.parse().unwrap())
            .await
            .unwrap();
        company
    }

    async fn hold(&self) -> String {
        let customer: CustomerId = self.customer().await.id.parse().unwrap();
        let (crm, operator) = (&self.server.crm, TestServer::operator());
        let hold = crm.place_hold(&operator, Some(customer), "訴訟").await;
        hold.unwrap().to_string()
    }

    async fn company(&self) -> String {
        let details = CompanyDetails {
            name: CompanyName::new("山田商事").unwrap(),
            name_kana: CompanyReading::new("").unwrap(),
            address: None,
            phone: None,
            website: None,
            remarks: Remarks::new("").unwrap(),
        };
        let operator = TestServer::operator();
        let id = self.server.crm.register_company(&operator, details).await;
        id.unwrap().to_string()
    }

    async fn member(&self) -> String {
        let email = format!("member-{}@example.jp", self.number());
        self.server.add_member(&email, Role::Member).await.to_string()
    }

    async fn link(&self) -> String {
        let email = format!("linked-{}@example.jp", self.number());
        let member = self.server.add_member(&email, Role::Viewer).await;
        let operator = TestServer::operator();
        let link = self
            .server
            .crm
            .make_link(&operator, member, LinkPurpose::SignIn)
            .await;
        link.unwrap()
    }

    /// A customer to whom a message is on its way.
    async fn talk(&self, about: About) -> Record {
        let mut record = self.customer().await;
        let customer = CustomerId::new(record.customer.parse().unwrap());
        let (crm, operator) = (&self.server.crm, TestServer::operator());
        let text = MessageText::new("お世話になっております").unwrap();
        let to = Recipient::Customer(customer);
        let queued = crm.queue_message(&operator, to, text, None).await.unwrap();
        record.id = match about {
            About::Send => queued.id().to_string(),
            About::Activity => self.server.conversation(customer).await[0].id.to_string(),
            _ => {
                let lines = crm.conversations_of_customer(&operator, customer).await.unwrap();
                lines[0].conversation.id.to_string()
            }
        };
        record
    }

    /// A customer's photo.
    async fn file(&self) -> Record {
        let mut record = self.customer().await;
        let stored = self
            .server
            .simulator
            .store_file("写真.jpg", vec![7; 100])
            .unwrap();
        let event = callbacks::image(&record.user, &stored);
        self.server.simulator.deliver(&event).await.unwrap();
        let customer = CustomerId::new(record.customer.parse().unwrap());
        record.id = until("the file", async || {
            let messages = self.server.conversation(customer).await;
            let file = messages.first()?.file.clone()?;
            (file.state == AttachmentState::Stored).then(|| file.id.to_string())
        })
        .await;
        record
    }

    /// Somebody who wrote and is no customer, beside a customer whom it may be.
    async fn sender(&self) -> Record {
        let user = self.user();
        let event = callbacks::text(&user, "はじめまして");
        self.server.simulator.deliver(&event).await.unwrap();
        let operator = TestServer::operator();
        let id = until("the sender", async || {
            let all = self
                .server
                .crm
                .unknown_senders(&operator, None, 200)
                .await
                .unwrap();
            let own = all
                .iter()
                .find(|one| one.line.conversation.key.address.as_str() == user)?;
            Some(own.line.conversation.id.to_string())
        })
        .await;
        let customer = self.server.add_customer("佐藤", "花子", None).await;
        Record {
            id,
            customer: customer.to_string(),
            user,
        }
    }
}
