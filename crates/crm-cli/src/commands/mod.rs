//! One file for each noun.

pub(crate) mod activities;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod companies;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod customers;
pub(crate) mod databases;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod imports;
pub(crate) mod keys;
pub(crate) mod messages;
pub(crate) mod migrate;
pub(crate) mod privacy;
pub(crate) mod restored;
pub(crate) mod secret_input;
pub(crate) mod sessions;
pub(crate) mod tokens;
pub(crate) mod users;
pub(crate) mod webhook;

use std::process::ExitCode;

use crate::args::Command;
use crate::context::Context;
use crate::failure::Failure;

/// What a command ends with.
pub(crate) type Outcome = Result<ExitCode, Failure>;

/// Done.
pub(crate) const DONE: Outcome = Ok(ExitCode::SUCCESS);

/// Finished, and what it found or did is not good.
pub(crate) const FAILED: Outcome = Ok(ExitCode::FAILURE);

pub(crate) async fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Migrate(command) => migrate::run(context, &command).await,
        Command::Doctor => doctor::run(context).await,
        Command::Config(command) => config::run(context, &command).await,
        Command::User(command) => users::run(context, command).await,
        Command::Token(command) => tokens::run(context, command).await,
        Command::Session(command) => sessions::run(context, command).await,
        Command::Company(command) => companies::run(context, command).await,
        Command::Customer(command) => customers::run(context, command).await,
        Command::Trash(command) => privacy::trash(context, command).await,
        Command::Retention(command) => privacy::retention(context, command).await,
        Command::Activity(command) => activities::run(context, command).await,
        Command::Message(command) => messages::run(context, command).await,
        Command::Webhook(command) => webhook::run(context, command).await,
        Command::Key(command) => keys::run(context, command).await,
        Command::Audit(command) => audit::run(context, command).await,
        Command::Import(command) => imports::run(context, command).await,
        Command::Backup(command) => backup::run(context, &command).await,
        Command::Verify(command) => backup::look_through(context, &command),
        Command::Restore(command) => backup::put_back(context, &command).await,
        Command::Jobs(command) => backup::jobs(context, &command).await,
        Command::Db(command) => databases::run(context, command).await,
        Command::Dev(command) => dev::run(context, command).await,
        Command::Completions(command) => {
            completions::run(context, &command);
            DONE
        }
        Command::Version => {
            let version = env!("CARGO_PKG_VERSION");
            let json = serde_json::json!({"name": "crm", "version": version});
            context.output.said(&format!("crm {version}"), &json);
            DONE
        }
    }
}
