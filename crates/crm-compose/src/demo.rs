//! The demonstration: a throw-away folder, sample data, LINE WORKS inside the process.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crm_domain::customers::CustomerFilter;
use crm_domain::members::{LinkPurpose, Locale, MemberId, Role};
use crm_domain::paging::PageRequest;
use crm_domain::permissions::Actor;
use crm_domain::use_cases::MemberForm;
use crm_lineworks_sim::callbacks;
use crm_lineworks_sim::{Member, Simulator, SimulatorConfig};
use crm_samples::{DEMO_BOT, fill_demo, sample_members};
use tempfile::TempDir;

use crate::composition::ServerComposition;
use crate::settings::{
    DataSettings, LineWorksSettings, ListenSettings, LogSettings, Need, Settings, Source, WebSettings,
};
use crate::start_error::StartError;

/// The demonstration's parts. Its folder is deleted when it is dropped.
pub struct DemoComposition {
    /// What a server has.
    pub server: ServerComposition,
    /// The secret of a link that signs the administrator in, once.
    pub sign_in: String,
    /// The administrator.
    pub administrator: MemberId,
    simulator: Simulator,
    _folder: TempDir,
}

impl DemoComposition {
    /// Puts it together. Ignores all settings and `.env`; `listen` is where the pages will be, on loopback.
    pub async fn open(listen: SocketAddr, locale: Locale) -> Result<Self, StartError> {
        let folder = tempfile::tempdir().map_err(|source| StartError::Folder {
            dir: std::env::temp_dir(),
            source,
        })?;
        let simulator = start_simulator(listen).await?;
        let settings = settings(folder.path().join("data"), &simulator, listen, locale)?;
        let server = ServerComposition::open(settings).await?;
        let (administrator, sign_in) = fill(&server).await?;
        add_members(&server, &simulator).await?;
        Ok(Self {
            server,
            sign_in,
            administrator,
            simulator,
            _folder: folder,
        })
    }

    /// Says something as the member of LINE WORKS with this user id; `false` if it did not arrive.
    pub async fn say(&self, user_id: &str, text: &str) -> bool {
        let delivered = self.simulator.deliver(&callbacks::text(user_id, text)).await;
        delivered.is_ok_and(|delivery| delivery.status == 200)
    }

    /// Tells LINE WORKS where callbacks go, once it is known where the server listens.
    pub fn set_callback_url(&self, url: &str) {
        self.simulator.set_callback_url(url);
    }
}

async fn start_simulator(listen: SocketAddr) -> Result<Simulator, StartError> {
    let config = SimulatorConfig {
        bot_id: DEMO_BOT.to_owned(),
        callback_url: Some(format!("http://{listen}/webhook")),
        ..SimulatorConfig::default()
    };
    let started = Simulator::start(config).await;
    started.map_err(|error| StartError::Simulator(error.to_string()))
}

fn settings(
    dir: PathBuf,
    simulator: &Simulator,
    listen: SocketAddr,
    locale: Locale,
) -> Result<Settings, StartError> {
    Ok(Settings {
        listen: ListenSettings {
            address: listen,
            callback_address: None,
            public_urls: vec![crate::settings::PublicUrl::on_this_machine(listen.port(), false)],
            trusted_proxies: Vec::new(),
            tls: None,
            connections_per_address: 256,
        },
        data: DataSettings::below(dir),
        backups: crate::settings::BackupSettings {
            keep: 0,
            ..crate::settings::BackupSettings::default()
        },
        web: WebSettings {
            locale,
            ..WebSettings::default()
        },
        log: LogSettings::default(),
        line_works: Some(line_works(simulator)?),
        rules: crate::settings::LineWorksRules::default(),
        connection: Some(source_of(simulator)),
        given: source_of(simulator),
        bot_id: Some(DEMO_BOT.to_owned()),
    })
}

fn source_of(simulator: &Simulator) -> Source {
    let pairs = simulator.settings().into_iter();
    Source::new(pairs.map(|(name, value)| (name.to_owned(), value)), None)
}

fn line_works(simulator: &Simulator) -> Result<LineWorksSettings, StartError> {
    Settings::read(&source_of(simulator), Need::Everything)
        .ok()
        .and_then(|loaded| loaded.settings.line_works)
        .ok_or_else(|| StartError::Simulator("its settings are not understood".to_owned()))
}

async fn fill(server: &ServerComposition) -> Result<(MemberId, String), StartError> {
    let parts = &server.parts;
    let failed = |error: crm_domain::error::Error| StartError::Samples(error.to_string());
    fill_demo(parts.store.as_ref(), DEMO_BOT, parts.clock.now())
        .await
        .map_err(|error| StartError::Samples(error.to_string()))?;
    let actor = Actor::Operator {
        name: "demo".to_owned(),
    };
    let form = MemberForm {
        email: "demo@example.jp".to_owned(),
        name: "デモ担当".to_owned(),
        role: Role::Admin,
        password: None,
    };
    let id = parts.crm.add_member(&actor, form).await.map_err(failed)?;
    let link = parts
        .crm
        .make_link(&actor, id, LinkPurpose::SignIn)
        .await
        .map_err(failed)?;
    Ok((id, link))
}

/// LINE WORKS knows the linked customers, and some people who are no customers yet.
async fn add_members(server: &ServerComposition, simulator: &Simulator) -> Result<(), StartError> {
    for sample in sample_members() {
        let member = Member::new(sample.user_id, sample.name.0, sample.name.1);
        simulator.add_member(
            member
                .with_kana(sample.kana.0, sample.kana.1)
                .with_email(sample.login_id),
        );
    }
    let actor = Actor::Operator {
        name: "demo".to_owned(),
    };
    let all = PageRequest::first(PageRequest::ROWS * 4);
    let listed = server
        .parts
        .crm
        .list_customers(&actor, CustomerFilter::default(), all);
    let listed = listed
        .await
        .map_err(|error| StartError::Samples(error.to_string()))?;
    for line in listed.items {
        let details = line.customer.details;
        if let Some(user) = details.line_user_id {
            let member = Member::new(user.as_str(), details.name.last(), details.name.first());
            simulator.add_member(member.with_kana(details.reading.last(), details.reading.first()));
        }
    }
    Ok(())
}

/// Where the demonstration listens unless told otherwise: this machine only.
pub const DEMO_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

#[cfg(test)]
mod tests {
    use super::DemoComposition;
    use crm_domain::customers::CustomerFilter;
    use crm_domain::members::Locale;
    use crm_domain::paging::PageRequest;
    use crm_domain::permissions::Actor;
    use crm_domain::sends::SendState;
    use crm_domain::use_cases::Recipient;
    use crm_domain::values::MessageText;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_demonstration_sends_through_the_simulator() {
        let demo = DemoComposition::open(super::DEMO_LISTEN, Locale::Ja)
            .await
            .unwrap();
        let crm = &demo.server.parts.crm;
        let actor = Actor::Operator {
            name: "test".to_owned(),
        };
        assert!(crm.can_send());
        let all = crm.list_customers(&actor, CustomerFilter::default(), PageRequest::first(1_000));
        let all = all.await.unwrap().items;
        assert_eq!(all.len(), 100);
        let linked = all
            .iter()
            .find(|line| line.customer.details.line_user_id.is_some())
            .unwrap();
        let to = Recipient::Customer(linked.customer.id);
        let text = MessageText::new("こんにちは").unwrap();
        crm.queue_message(&actor, to, text, None).await.unwrap();
        let delivered = crm.deliver_next(&actor, "run").await.unwrap().unwrap();
        assert_eq!(delivered.state, SendState::Sent, "{delivered:?}");
    }
}
