#![doc = include_str!("../README.md")]

mod args;
mod audit_rows;
mod commands;
mod context;
mod copy_progress;
mod failure;
mod fields;
mod help;
mod output;
mod pages;
mod poc;
mod privacy_rows;
mod progress;
mod rows;
mod table;
mod texts;

use std::process::ExitCode;

use clap::FromArgMatches as _;
use crm_compose::Source;

use crate::args::Args;
use crate::context::Context;
use crate::output::Output;
use crate::texts::Texts;

/// 0: done; 1: failed; 2: misused.
fn main() -> ExitCode {
    let source = Source::of_process();
    let texts = Texts::of(source.locale());
    let matches = help::command(source.locale()).try_get_matches();
    let args = match matches.and_then(|matches| Args::from_arg_matches(&matches)) {
        Ok(args) => args,
        Err(error) => return output::misuse(&error, &texts),
    };
    let output = Output::new(args.format, texts);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            return output.fail(&failure::Failure::Own(
                "runtime",
                vec![("error", error.to_string())],
            ));
        }
    };
    let context = Context::new(source, output);
    match runtime.block_on(commands::run(&context, args.command)) {
        Ok(code) => code,
        Err(failure) => context.output.fail(&failure),
    }
}
