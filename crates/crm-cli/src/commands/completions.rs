//! `crm completions SHELL`.

use clap_complete::Shell;

use crate::context::Context;
use crate::help;
use crate::output;

#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// Which shell.
    shell: Shell,
}

pub(crate) fn run(context: &Context, command: &Completions) {
    let mut script = Vec::new();
    clap_complete::generate(
        command.shell,
        &mut help::command(context.source.locale()),
        "crm",
        &mut script,
    );
    output::raw(&String::from_utf8_lossy(&script));
}
