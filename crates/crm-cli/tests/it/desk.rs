//! A throw-away installation and the program run on it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) struct Desk {
    folder: TempDir,
    settings: Vec<(String, String)>,
}

/// What a run of the program gave.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            settings: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn with_all(mut self, settings: Vec<(String, String)>) -> Self {
        self.settings.extend(settings);
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crm"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("USER", "tester")
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::of(&self.command(args).output().unwrap())
    }

    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> Ran {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Ran::of(&child.wait_with_output().unwrap())
    }

    /// Runs on until it is killed.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        Running(self.command(args).stdout(Stdio::piped()).spawn().unwrap())
    }

    /// Runs with `--format json`, expects success and gives what was written.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let mut all = args.to_vec();
        all.extend(["--format", "json"]);
        let ran = self.run(&all);
        assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.out, ran.err);
        serde_json::from_str(&ran.out).unwrap()
    }

    /// Adds a customer and gives the id.
    pub(crate) fn customer(&self, last_name: &str, more: &[&str]) -> String {
        let mut args = vec!["customer", "add", "--last-name", last_name];
        args.extend(more);
        self.json(&args)["id"].to_string()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path("data/crm.db")
    }

    /// Everything in `.env`.
    pub(crate) fn dot_env(&self, text: &str) {
        std::fs::write(self.folder.path().join(".env"), text).unwrap();
    }
}

impl Ran {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }
}

pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// The first JSON that it writes.
    pub(crate) fn said(&mut self) -> Value {
        let out = self.0.stdout.as_mut().unwrap();
        let mut all = serde_json::Deserializer::from_reader(out).into_iter();
        all.next().unwrap().unwrap()
    }

    pub(crate) fn wait_for(&mut self, file: &Path) {
        self.wait_until(file, |text| !text.is_empty());
    }

    /// The file's text as soon as it is the one wanted.
    pub(crate) fn wait_until(&mut self, file: &Path, wanted: impl Fn(&str) -> bool) -> String {
        for _ in 0..200 {
            assert!(self.0.try_wait().unwrap().is_none(), "it ended");
            match std::fs::read_to_string(file) {
                Ok(text) if wanted(&text) => return text,
                _ => std::thread::sleep(std::time::Duration::from_millis(50)),
            }
        }
        panic!("{} did not come", file.display());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
