//! The grammar with its explanations in the reader's language. English stands beside the code; Japanese in a catalogue.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, Command, CommandFactory as _};
use crm_domain::members::Locale;

use crate::args::Args;

const JA: &str = include_str!("../texts/help.ja.json");

// Headings, which clap takes as constants only.
const COMMANDS: &str = "コマンド";
const OPTIONS: &str = "オプション";
const ARGUMENTS: &str = "引数";
const TEMPLATE: &str = "{about-with-newline}\n使い方: {usage}\n\n{all-args}";

/// Explanations by the words of a command (`customer add`) or by an argument's name behind a slash (`/email`).
type Words = BTreeMap<String, String>;

/// The grammar.
pub(crate) fn command(locale: Locale) -> Command {
    match locale {
        Locale::En => Args::command(),
        Locale::Ja => japanese(Args::command(), "", &words()),
    }
}

/// A test rules out that the catalogue is no JSON.
fn words() -> Words {
    serde_json::from_str(JA).unwrap_or_default()
}

fn japanese(command: Command, path: &str, words: &Words) -> Command {
    let word = |key: &str| words.get(key).cloned().unwrap_or_default();
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help);
    command
        .about(word(path))
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .subcommand_help_heading(COMMANDS)
        .help_template(TEMPLATE)
        .arg(help)
        .mut_args(|arg| {
            let heading = if arg.is_positional() { ARGUMENTS } else { OPTIONS };
            let text = word(&format!("/{}", arg.get_id()));
            arg.help_heading(heading).help(text)
        })
        .mut_subcommands(|sub| {
            let path = format!("{path} {}", sub.get_name()).trim().to_owned();
            japanese(sub, &path, words)
        })
}

#[cfg(test)]
mod tests {
    use super::{command, words};
    use clap::Command;
    use crm_domain::members::Locale;

    fn keys(command: &Command, path: &str, keys: &mut Vec<String>) {
        keys.push(path.to_owned());
        keys.extend(command.get_arguments().map(|arg| format!("/{}", arg.get_id())));
        for sub in command.get_subcommands() {
            self::keys(sub, format!("{path} {}", sub.get_name()).trim(), keys);
        }
    }

    #[test]
    fn every_command_and_argument_is_explained_and_nothing_else() {
        let words = words();
        let mut needed = Vec::new();
        keys(&command(Locale::Ja), "", &mut needed);
        let missing: Vec<_> = needed.iter().filter(|key| !words.contains_key(*key)).collect();
        let idle: Vec<_> = words.keys().filter(|key| !needed.contains(key)).collect();
        assert!(
            missing.is_empty() && idle.is_empty(),
            "missing {missing:?}, idle {idle:?}"
        );
    }

    #[test]
    fn the_grammar_holds_together_in_both_languages() {
        for locale in Locale::ALL {
            command(locale).debug_assert();
        }
    }
}
