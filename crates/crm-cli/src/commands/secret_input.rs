//! Passwords and texts from standard input.

use std::io::{IsTerminal as _, Read as _};

use dialoguer::Password;

use crate::failure::Failure;
use crate::texts::Texts;

/// All of standard input without the line break at its end.
pub(crate) fn standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Failure::io("stdin", &error))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// A secret that is known already. At a terminal it is asked for by the text of this name and not shown.
pub(crate) fn known_secret(texts: &Texts, ask: &str) -> Result<String, Failure> {
    if std::io::stdin().is_terminal() {
        typed(Password::new().with_prompt(texts.text(ask)))
    } else {
        standard_input()
    }
}

/// A secret that is being chosen: at a terminal twice, because nobody sees what was typed.
pub(crate) fn new_secret(texts: &Texts, ask: &str) -> Result<String, Failure> {
    if std::io::stdin().is_terminal() {
        let again = (texts.text("secret.again"), texts.text("secret.differs"));
        typed(
            Password::new()
                .with_prompt(texts.text(ask))
                .with_confirmation(again.0, again.1),
        )
    } else {
        standard_input()
    }
}

fn typed(password: Password<'_>) -> Result<String, Failure> {
    password
        .interact()
        .map_err(|dialoguer::Error::IO(error)| Failure::io("stdin", &error))
}
