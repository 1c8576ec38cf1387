//! The daily backup.

use crm_archive::Passphrase;

use super::problem::Fault;
use super::reader::{Reader, number};

/// How many daily backups are kept when nothing is said.
const KEEP: u32 = 7;
/// Minutes after midnight at which it is taken when nothing is said: 3:00.
const AT: u16 = 3 * 60;

/// When a daily backup is taken, how many are kept, and who can read them.
#[derive(Debug, Clone)]
pub struct BackupSettings {
    /// Minutes after midnight, in the time zone of the settings.
    pub at: u16,
    /// How many are kept; 0: none is taken by itself.
    pub keep: usize,
    /// Behind which they lie; `None`: they are not encrypted.
    pub passphrase: Option<Passphrase>,
}

impl Default for BackupSettings {
    fn default() -> Self {
        Self {
            at: AT,
            keep: KEEP as usize,
            passphrase: None,
        }
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> BackupSettings {
    BackupSettings {
        at: reader.parsed("CRM_BACKUP_AT", AT, time_of_day),
        keep: reader.parsed("CRM_BACKUP_KEEP", KEEP, |text| number(text, 0)) as usize,
        passphrase: reader.optional("CRM_BACKUP_PASSPHRASE", |text| {
            let min = Passphrase::SHORTEST;
            Passphrase::new(text).ok_or(Fault::ShortPassphrase { min })
        }),
    }
}

/// `03:00` or `3:00`.
fn time_of_day(text: &str) -> Result<u16, Fault> {
    let parse = || {
        let (hour, minute) = text.split_once(':')?;
        let digits = |part: &str| part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(hour) || !digits(minute) || minute.len() != 2 {
            return None;
        }
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    parse().ok_or(Fault::NotATime)
}

#[cfg(test)]
mod tests {
    use super::time_of_day;

    #[test]
    fn a_time_of_day_has_hours_and_minutes() {
        assert_eq!(time_of_day("03:00").ok(), Some(180));
        assert_eq!(time_of_day("3:05").ok(), Some(185));
        assert_eq!(time_of_day("23:59").ok(), Some(1_439));
        for wrong in ["", "3", "24:00", "3:60", "3:5", "-1:00", "03:00:00", "三時"] {
            assert!(time_of_day(wrong).is_err(), "{wrong}");
        }
    }
}
