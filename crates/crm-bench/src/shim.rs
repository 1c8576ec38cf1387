//! The shim that stands between a server and its system (`shim/disk_and_clock.c`): built here, and steered while the
//! server runs.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// How every mark begins that the shim looks for; twelve digits follow.
pub const MARK: &str = "mark-";

/// Where in the control file stands what (see `struct control`).
const CLOCK_OFFSET: u64 = 0;
const WRITE_ERRNO: u64 = 8;
const SYNC_ERRNO: u64 = 16;
const PATTERN: u64 = 24;
const PATTERN_SIZE: usize = 64;
const SYNC_DELAY: u64 = PATTERN + PATTERN_SIZE as u64;
const SIZE: u64 = SYNC_DELAY + 8;

/// What a failing disk answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskError {
    /// `EIO`: it is broken.
    Broken,
    /// `ENOSPC`: it is full.
    Full,
}

impl DiskError {
    fn errno(self) -> i64 {
        match self {
            Self::Broken => 5,
            Self::Full => 28,
        }
    }
}

/// A shim made ready for one server.
#[derive(Debug)]
pub struct Shim {
    library: PathBuf,
    control: PathBuf,
    file: File,
    journal: PathBuf,
}

/// A line of the shim's journal: its number, what happened, and to which mark or file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Counts from 1 in the order in which things happened.
    pub number: u64,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A marked callback came in.
    Arrived(String),
    /// A mark was written to a file.
    Written(String, String),
    /// The syncing of a file began.
    Syncing(String),
    /// The syncing of a file ended well.
    Synced(String),
    /// Writing or syncing this file failed, as it was told to.
    Failed(String),
    /// The callback with this mark was answered 200.
    Answered(String),
}

impl Shim {
    /// Builds the shim into `folder` with the C compiler of this machine.
    pub fn build(folder: &Path) -> anyhow::Result<Self> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/disk_and_clock.c");
        let library = folder.join("disk_and_clock.so");
        let built = Command::new("cc")
            .args(["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"])
            .arg(&library)
            .arg(&source)
            .output()
            .context(
                "no C compiler. Please run: sudo apt-get install -y --no-install-recommends build-essential",
            )?;
        ensure!(
            built.status.success(),
            "{}",
            String::from_utf8_lossy(&built.stderr)
        );
        Self::of(library, folder, "shim")
    }

    /// The same for another server, steered by itself.
    pub fn another(&self, name: &str) -> anyhow::Result<Self> {
        let folder = self.library.parent().context("the folder of the shim")?;
        Self::of(self.library.clone(), folder, name)
    }

    fn of(library: PathBuf, folder: &Path, name: &str) -> anyhow::Result<Self> {
        let control = folder.join(format!("{name}.control"));
        let file = File::create(&control)?;
        file.set_len(SIZE)?;
        Ok(Self {
            library,
            control,
            file,
            journal: folder.join(format!("{name}.journal")),
        })
    }

    /// What the environment of a server must hold that is steered and of which nothing is written down.
    pub fn silent_environment(&self) -> Vec<(String, String)> {
        let steering = |(name, _): &(String, String)| name == "LD_PRELOAD" || name == "SHIM_CONTROL";
        self.environment().into_iter().filter(steering).collect()
    }

    /// What the server's environment must hold.
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("LD_PRELOAD", self.library.display().to_string()),
            ("SHIM_CONTROL", self.control.display().to_string()),
            ("SHIM_LOG", self.journal.display().to_string()),
            ("SHIM_MARK", MARK.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// The clock of the wall goes this much wrong from now on.
    pub fn move_clock(&self, seconds: i64) -> anyhow::Result<()> {
        self.set(CLOCK_OFFSET, seconds)
    }

    /// Writing to files whose path contains `pattern` fails from now on.
    pub fn fail_writing(&self, pattern: &str, error: DiskError) -> anyhow::Result<()> {
        self.set_pattern(pattern)?;
        self.set(WRITE_ERRNO, error.errno())
    }

    /// Syncing files whose path contains `pattern` fails from now on.
    pub fn fail_syncing(&self, pattern: &str, error: DiskError) -> anyhow::Result<()> {
        self.set_pattern(pattern)?;
        self.set(SYNC_ERRNO, error.errno())
    }

    /// Syncing files whose path contains `pattern` takes so much longer from now on.
    pub fn slow_syncing(&self, pattern: &str, delay: Duration) -> anyhow::Result<()> {
        self.set_pattern(pattern)?;
        self.set(SYNC_DELAY, i64::try_from(delay.as_micros())?)
    }

    /// The disk works again.
    pub fn heal_disk(&self) -> anyhow::Result<()> {
        self.set(SYNC_DELAY, 0)?;
        self.set(WRITE_ERRNO, 0)?;
        self.set(SYNC_ERRNO, 0)
    }

    fn set(&self, at: u64, value: i64) -> anyhow::Result<()> {
        Ok(self.file.write_all_at(&value.to_ne_bytes(), at)?)
    }

    fn set_pattern(&self, pattern: &str) -> anyhow::Result<()> {
        ensure!(pattern.len() < PATTERN_SIZE, "the pattern is too long");
        let mut bytes = [0; PATTERN_SIZE];
        bytes[..pattern.len()].copy_from_slice(pattern.as_bytes());
        Ok(self.file.write_all_at(&bytes, PATTERN)?)
    }

    /// Everything written down so far, in the order of the numbers.
    pub fn journal(&self) -> anyhow::Result<Vec<Entry>> {
        let text = String::from_utf8_lossy(&std::fs::read(&self.journal)?).into_owned();
        let mut entries: Vec<Entry> = text.lines().filter_map(entry).collect();
        entries.sort_by_key(|entry| entry.number);
        Ok(entries)
    }
}

fn entry(line: &str) -> Option<Entry> {
    let (number, rest) = line.split_once(' ')?;
    let (what, which) = rest.split_once(' ')?;
    let own = || which.to_owned();
    let event = match what {
        "arrived" => Event::Arrived(own()),
        "written" => {
            let (mark, path) = which.split_once(' ')?;
            Event::Written(mark.to_owned(), path.to_owned())
        }
        "syncing" => Event::Syncing(own()),
        "synced" => Event::Synced(own()),
        "failed" => Event::Failed(own()),
        "answered" => Event::Answered(own()),
        _ => return None,
    };
    Some(Entry {
        number: number.parse().ok()?,
        event,
    })
}
