//! The names of the files that this program puts into the folder of backups: what they are, when they were made, and by
//! which installation, since several may share a folder.

use std::path::{Path, PathBuf};

use crm_domain::instant::Instant;

use super::archive::hex;

const DAILY: &str = "crm-";
const BEFORE: &str = "before-";
const ENDS: &str = ".tar.zst";
const SEALED: &str = ".age";

/// How the name of a daily backup is put together: `crm-20250708024546-1f2e3d4c.tar.zst`, with `.age` behind a passphrase.
/// Earlier versions wrote no installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Daily {
    /// When, as 14 digits in UTC, so that names sort by it.
    pub(super) at: String,
    /// The installation's mark.
    pub(super) of: Option<String>,
}

/// How the name of a copy before an update is put together: `before-0034-20250708024546-1f2e3d4c-99aabbcc.tar.zst`.
/// Earlier versions wrote neither installation nor state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Before {
    /// The number of the migration to which the database was to be brought.
    pub(super) target: String,
    /// When, as 14 digits in UTC.
    pub(super) at: String,
    /// The marks of the installation, and of what its database held.
    pub(super) of: Option<(String, String)>,
}

/// The first bytes of a hash, as names carry them.
pub(crate) fn mark(hash: &[u8]) -> String {
    hex(hash.get(..4).unwrap_or(hash))
}

/// A time as names carry it.
pub(super) fn digits(at: Instant) -> String {
    let digits = at.to_string();
    digits.chars().filter(char::is_ascii_digit).take(14).collect()
}

fn end(sealed: bool) -> &'static str {
    if sealed { ".tar.zst.age" } else { ENDS }
}

impl Daily {
    pub(super) fn name(at: Instant, installation: &str, sealed: bool) -> String {
        format!("{DAILY}{}-{installation}{}", digits(at), end(sealed))
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let mut parts = bare(name)?.strip_prefix(DAILY)?.split('-');
        let at = time(parts.next()?)?;
        let of = match parts.next() {
            None => None,
            Some(installation) => Some(known(installation)?),
        };
        parts.next().is_none().then_some(Self { at, of })
    }
}

impl Before {
    pub(super) fn name(&self, sealed: bool) -> String {
        let of = self.of.as_ref();
        let of = of.map_or_else(String::new, |(installation, state)| {
            format!("-{installation}-{state}")
        });
        format!("{BEFORE}{}-{}{of}{}", self.target, self.at, end(sealed))
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let mut parts = bare(name)?.strip_prefix(BEFORE)?.split('-');
        let target = number(parts.next()?)?;
        let at = time(parts.next()?)?;
        let of = match (parts.next(), parts.next()) {
            (None, _) => None,
            (Some(installation), Some(state)) => Some((known(installation)?, known(state)?)),
            (Some(_), None) => return None,
        };
        parts.next().is_none().then_some(Self { target, at, of })
    }
}

fn bare(name: &str) -> Option<&str> {
    name.strip_suffix(SEALED).unwrap_or(name).strip_suffix(ENDS)
}

fn number(text: &str) -> Option<String> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.to_owned())
}

fn time(text: &str) -> Option<String> {
    number(text).filter(|digits| digits.len() == 14)
}

fn known(text: &str) -> Option<String> {
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == 8 && text.bytes().all(hexadecimal)).then(|| text.to_owned())
}

/// The files of a folder whose names say something, with what they say.
pub(super) fn files_in<T>(
    dir: &Path,
    parse: impl Fn(&str) -> Option<T>,
) -> std::io::Result<Vec<(PathBuf, T)>> {
    let names = std::fs::read_dir(dir)?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names
        .filter_map(|name| Some((dir.join(&name), parse(&name)?)))
        .collect())
}

#[cfg(test)]
mod tests {
    use crm_domain::instant::Instant;

    use super::{Before, Daily, files_in};

    #[test]
    fn names_tell_what_a_file_is_when_it_was_made_and_by_whom() {
        let at = Instant::from_unix_millis(1_751_942_746_446);
        let name = Daily::name(at, "1f2e3d4c", true);
        assert_eq!(name, "crm-20250708024546-1f2e3d4c.tar.zst.age");
        let told = Daily::parse(&name).unwrap();
        assert_eq!(
            (told.at.as_str(), told.of.as_deref()),
            ("20250708024546", Some("1f2e3d4c"))
        );
        assert_eq!(Daily::parse("crm-20250708024546.tar.zst").unwrap().of, None);
        let before = Before {
            target: "0034".to_owned(),
            at: "20250708024546".to_owned(),
            of: Some(("1f2e3d4c".to_owned(), "99aabbcc".to_owned())),
        };
        assert_eq!(Before::parse(&before.name(false)), Some(before));
        assert_eq!(
            Before::parse("before-0026-20250708024546.tar.zst.age")
                .unwrap()
                .of,
            None
        );
        for other in [
            "crm-.tar.zst",
            "crm-2025070802454x.tar.zst",
            "crm-20250708024546-mine.tar.zst",
            "crm-20250708024546.tar",
            "my.tar.zst",
            "before-0026.db",
            "before-0026-20250708024546-1f2e3d4c.tar.zst",
        ] {
            assert!(
                Daily::parse(other).is_none() && Before::parse(other).is_none(),
                "{other}"
            );
        }
    }

    #[test]
    fn only_files_of_the_kind_are_found() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "crm-20250707030000.tar.zst.age",
            "before-0026-20250708024546.tar.zst",
            "x",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(files_in(folder.path(), Daily::parse).unwrap().len(), 1);
        assert_eq!(files_in(folder.path(), Before::parse).unwrap().len(), 1);
    }
}
