//! The command line's grammar. What each word means to a reader stands in the catalogues (`help.…`).

use clap::{Parser, Subcommand, ValueEnum};

use crate::commands;

/// Administration of the CRM.
#[derive(Debug, Parser)]
#[command(
    name = "crm",
    version,
    disable_version_flag = true,
    arg_required_else_help = true
)]
pub(crate) struct Args {
    /// How results are written.
    #[arg(long, value_enum, default_value_t, global = true)]
    pub(crate) format: Format,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Table,
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring the database up to date.
    Migrate(commands::migrate::Migrate),
    /// Check everything that has to be right, and say what to do.
    Doctor,
    /// The settings.
    #[command(subcommand)]
    Config(commands::config::Config),
    /// The people who sign in.
    #[command(subcommand)]
    User(commands::users::User),
    /// The keys of programs.
    #[command(subcommand)]
    Token(commands::tokens::Token),
    /// The browsers that are signed in.
    #[command(subcommand)]
    Session(commands::sessions::Session),
    /// Companies.
    #[command(subcommand)]
    Company(commands::companies::Company),
    /// Customers.
    #[command(subcommand)]
    Customer(commands::customers::Customer),
    /// What was deleted and can be brought back.
    #[command(subcommand)]
    Trash(commands::privacy::Trash),
    /// How long things are kept.
    #[command(subcommand)]
    Retention(commands::privacy::Retention),
    /// Messages as recorded.
    #[command(subcommand)]
    Activity(commands::activities::Activity),
    /// Messages to be sent.
    #[command(subcommand)]
    Message(commands::messages::Message),
    /// Callbacks as kept.
    #[command(subcommand)]
    Webhook(commands::webhook::Webhook),
    /// The keys that encrypt secrets and stored files.
    #[command(subcommand)]
    Key(commands::keys::Key),
    /// Who did what.
    #[command(subcommand)]
    Audit(commands::audit::Audit),
    /// Bring in data from elsewhere.
    #[command(subcommand)]
    Import(commands::imports::Import),
    /// Write a backup of everything, also while the server runs.
    Backup(commands::backup::Backup),
    /// Look a backup through: every byte, and the database inside.
    Verify(commands::backup::Verify),
    /// Put a backup back into an empty folder or database.
    Restore(commands::backup::Restore),
    /// What rests since a restore.
    #[command(subcommand)]
    Jobs(commands::backup::Jobs),
    /// Whole databases.
    #[command(subcommand)]
    Db(commands::databases::Databases),
    /// Tools for developers.
    #[command(subcommand)]
    Dev(commands::dev::Dev),
    /// Write the completions of a shell to standard output.
    Completions(commands::completions::Completions),
    /// Show the version.
    Version,
}
