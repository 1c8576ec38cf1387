//! LINE WORKS: what 「接続を確認」 in the pages says too.

use std::sync::Arc;

use crm_compose::{Connection, Settings, SystemClock};
use crm_domain::connection::ConnectionValues;
use crm_domain::ports::connector::Connector as _;
use crm_domain::use_cases::{Advice, CONNECTION_CHECKS, CheckState, ConnectionStep, check_connection};

use super::{Round, State};
use crate::texts::Texts;

/// `sound`: the settings are; what is wrong with them has been said.
pub(super) async fn check(round: &mut Round<'_>, settings: &Settings, sound: bool) {
    if !sound && settings.bot_id.is_some() {
        return round.skip(&CONNECTION_CHECKS, "settings");
    }
    let connection = Connection::new(settings, Arc::new(SystemClock));
    connection.connect(0, &ConnectionValues::default());
    let report = check_connection(&connection, &*connection.board()).await;
    for step in report.steps {
        put(round, step);
    }
}

fn put(round: &mut Round<'_>, step: ConnectionStep) {
    let state = match step.state {
        CheckState::Ok => State::Ok,
        CheckState::Warning => State::Warning,
        CheckState::Failed => State::Failed,
        CheckState::Skipped => State::Skipped,
    };
    match step.advice {
        Advice::Skipped(reason) => round.skip(&[step.check], reason),
        advice => {
            let advice = words(advice, round.texts);
            round.put(step.check, state, step.detail, advice);
        }
    }
}

fn words(advice: Advice, texts: &Texts) -> String {
    match advice {
        Advice::None => String::new(),
        Advice::Advice(key) => texts.text(&format!("advice.{key}")),
        Advice::Skipped(key) => texts.text(&format!("skipped.{key}")),
        Advice::Problem(problem) => texts.text(&format!("send_problem.{}", problem.code())),
        Advice::Field(error) => texts.text(&format!("problem.{}", error.problem.code())),
    }
}
