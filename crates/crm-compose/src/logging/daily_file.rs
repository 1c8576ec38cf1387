//! A log file for each day, and a link under the wished name that leads to today's.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crm_domain::ports::host::Clock;
use time::Date;
use time::macros::format_description;

use crate::time_zone::TimeZone;

/// For `app.log`: writes `app.2025-07-08.log` and keeps `app.log` a link to it. Days begin in the zone.
pub(super) struct DailyFile {
    link: PathBuf,
    zone: TimeZone,
    clock: Arc<dyn Clock>,
    day: Date,
    file: File,
}

impl DailyFile {
    pub(super) fn open(link: &Path, zone: TimeZone, clock: Arc<dyn Clock>) -> io::Result<Self> {
        if let Some(dir) = link.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            std::fs::create_dir_all(dir)?;
        }
        let day = today(&zone, clock.as_ref());
        Ok(Self {
            file: open_day(link, day)?,
            link: link.to_owned(),
            zone,
            clock,
            day,
        })
    }
}

impl Write for DailyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let day = today(&self.zone, self.clock.as_ref());
        if day != self.day {
            self.file.flush()?;
            self.file = open_day(&self.link, day)?;
            self.day = day;
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn today(zone: &TimeZone, clock: &dyn Clock) -> Date {
    let now = clock.now();
    now.at_offset(zone.offset_at(now)).date()
}

fn open_day(link: &Path, day: Date) -> io::Result<File> {
    let target = file_of(link, day)?;
    let file = OpenOptions::new().create(true).append(true).open(&target)?;
    point(link, &target)?;
    Ok(file)
}

fn file_of(link: &Path, day: Date) -> io::Result<PathBuf> {
    let day = day
        .format(format_description!("[year]-[month]-[day]"))
        .map_err(io::Error::other)?;
    let stem = link.file_stem().unwrap_or_default().to_string_lossy();
    let name = match link.extension() {
        Some(extension) => format!("{stem}.{day}.{}", extension.to_string_lossy()),
        None => format!("{stem}.{day}"),
    };
    Ok(link.with_file_name(name))
}

/// Replaces the link in one step. A plain file of that name, such as the old system's log, is kept under `….old`.
fn point(link: &Path, target: &Path) -> io::Result<()> {
    let is_link = std::fs::symlink_metadata(link).map(|meta| meta.is_symlink());
    if matches!(is_link, Ok(false)) {
        let mut kept = link.as_os_str().to_owned();
        kept.push(".old");
        std::fs::rename(link, kept)?;
    }
    let mut draft = link.as_os_str().to_owned();
    draft.push(".new");
    let name = target.file_name().unwrap_or_default();
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    symlink(Path::new(name), Path::new(&draft))?;
    std::fs::rename(&draft, link)
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, link)
}

#[cfg(test)]
mod tests {
    use super::DailyFile;
    use crate::time_zone::TimeZone;
    use crm_domain::instant::Instant;
    use crm_domain::ports::host::Clock;
    use std::io::Write;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    struct Hand(AtomicI64);
    impl Clock for Hand {
        fn now(&self) -> Instant {
            Instant::from_unix_millis(self.0.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn the_name_always_leads_to_todays_file() {
        let temp = tempfile::tempdir().unwrap();
        let link = temp.path().join("logs/app.log");
        let start = Instant::parse("2025-07-08T14:59:59Z").unwrap().unix_millis();
        let clock = Arc::new(Hand(AtomicI64::new(start)));
        let mut log = DailyFile::open(&link, TimeZone::tokyo(), clock.clone()).unwrap();
        log.write_all(b"before midnight\n").unwrap();
        clock.0.store(start + 2_000, Ordering::Relaxed);
        log.write_all(b"after midnight\n").unwrap();
        let read = |name: &str| std::fs::read_to_string(link.with_file_name(name)).unwrap();
        assert_eq!(read("app.2025-07-08.log"), "before midnight\n");
        assert_eq!(read("app.log"), "after midnight\n");
        assert_eq!(read("app.2025-07-09.log"), "after midnight\n");
    }

    #[test]
    fn an_old_plain_file_is_kept() {
        let temp = tempfile::tempdir().unwrap();
        let link = temp.path().join("app.log");
        std::fs::write(&link, "old").unwrap();
        let clock = Arc::new(Hand(AtomicI64::new(0)));
        DailyFile::open(&link, TimeZone::tokyo(), clock).unwrap();
        assert_eq!(
            std::fs::read_to_string(temp.path().join("app.log.old")).unwrap(),
            "old"
        );
    }
}
