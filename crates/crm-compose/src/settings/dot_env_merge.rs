//! Puts values into a `.env` file and keeps everything else that stands there.

use std::collections::BTreeSet;

use super::dot_env;

/// The text of a `.env` file with these settings in it. Other lines and comments stay as they are; a value that has to
/// give way stays above the new one as a comment. Doing it again changes nothing.
pub fn merged(text: &str, settings: &[(&str, String)]) -> String {
    let mut merge = Merge {
        text: String::with_capacity(text.len() + 512),
        kept: text.lines().map(str::trim_end).collect(),
        placed: BTreeSet::new(),
    };
    for entry in dot_env::entries(text) {
        match entry.item {
            Some(Ok((name, value))) => merge.take(entry.raw, &name, &value, settings),
            _ => merge.keep(entry.raw),
        }
    }
    for (name, value) in settings {
        if !merge.placed.contains(name) {
            merge.put(name, value);
        }
    }
    merge.text
}

struct Merge<'a> {
    text: String,
    kept: BTreeSet<&'a str>,
    placed: BTreeSet<&'a str>,
}

impl<'a> Merge<'a> {
    fn take(&mut self, raw: &str, name: &str, value: &str, settings: &'a [(&'a str, String)]) {
        // The file that `X_FILE` names would contradict the value of X.
        let file_of = name.strip_suffix("_FILE");
        let Some((own, new)) = settings
            .iter()
            .find(|(own, _)| *own == name || file_of == Some(*own))
        else {
            return self.keep(raw);
        };
        let first = *own == name && !self.placed.contains(own);
        if first && value == new {
            self.placed.insert(own);
            return self.keep(raw);
        }
        self.comment_out(raw);
        if first {
            self.put(own, new);
        }
    }

    fn keep(&mut self, raw: &str) {
        self.begin_line();
        self.text.push_str(raw);
    }

    fn put(&mut self, name: &'a str, value: &str) {
        self.begin_line();
        self.text.extend([name, "=", &quoted(value), "\n"]);
        self.placed.insert(name);
    }

    fn comment_out(&mut self, raw: &str) {
        for line in raw.lines() {
            let comment = ["# ", line.trim_end()].concat();
            if !self.kept.contains(comment.as_str()) {
                self.begin_line();
                self.text.extend([comment.as_str(), "\n"]);
            }
        }
    }

    fn begin_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }
}

/// In quotation marks where a shell or a reader of `.env` files would take it apart.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    if value.chars().all(plain) {
        value.to_owned()
    } else if value.contains('\'') {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    } else {
        format!("'{value}'")
    }
}

#[cfg(test)]
mod tests {
    use super::{dot_env, merged};

    const OLD: &str = "# our CRM\nCRM_LISTEN=127.0.0.1:3000 # here\r\nLINE_WORKS_BOT_ID=7\n\
        LINE_WORKS_PRIVATE_KEY='begin\nLINE_WORKS_BOT_ID=no setting\nend'\nLINE_WORKS_BOT_SECRET_FILE=/run/secret\nbroken line";

    fn settings() -> Vec<(&'static str, String)> {
        [
            ("LINE_WORKS_BOT_ID", "1000001"),
            ("LINE_WORKS_BOT_SECRET", "it's \"one\" \\n"),
            ("LINE_WORKS_PRIVATE_KEY", "a b\\nc"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .to_vec()
    }

    #[test]
    fn what_was_there_stays() {
        assert_eq!(
            merged(OLD, &settings()),
            "# our CRM\nCRM_LISTEN=127.0.0.1:3000 # here\r\n# LINE_WORKS_BOT_ID=7\nLINE_WORKS_BOT_ID=1000001\n\
             # LINE_WORKS_PRIVATE_KEY='begin\n# LINE_WORKS_BOT_ID=no setting\n# end'\nLINE_WORKS_PRIVATE_KEY='a b\\nc'\n\
             # LINE_WORKS_BOT_SECRET_FILE=/run/secret\nbroken line\n\
             LINE_WORKS_BOT_SECRET=\"it's \\\"one\\\" \\\\n\"\n"
        );
    }

    #[test]
    fn doing_it_again_changes_nothing() {
        let once = merged(OLD, &settings());
        assert_eq!(merged(&once, &settings()), once);
        let other = [("LINE_WORKS_BOT_ID", "8".to_owned())];
        let there_and_back = merged(&merged(&once, &other), &settings());
        let again = merged(&merged(&there_and_back, &other), &settings());
        assert_eq!(again, there_and_back);
    }

    #[test]
    fn what_is_written_is_read() {
        let wanted: Vec<_> = settings()
            .into_iter()
            .map(|(name, value)| Ok((name.to_owned(), value)))
            .collect();
        assert_eq!(dot_env::read(&merged("", &settings())), wanted);
    }
}
