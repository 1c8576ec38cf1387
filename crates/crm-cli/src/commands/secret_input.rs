//! Passwords and texts from standard input.

use std::io::Read as _;

use crate::failure::Failure;

/// All of standard input without the line break at its end.
pub(crate) fn standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Failure::io("stdin", &error))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
