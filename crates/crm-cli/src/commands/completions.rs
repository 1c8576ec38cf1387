//! `crm completions SHELL`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Args;
use crate::output;

#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// Which shell.
    shell: Shell,
}

pub(crate) fn run(command: &Completions) {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut Args::command(), "crm", &mut script);
    output::raw(&String::from_utf8_lossy(&script));
}
