//! What is asked for at a terminal.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::desk::Desk;

const PATIENCE: Duration = Duration::from_mins(1);

/// A terminal with the program at it.
struct Terminal {
    ours: File,
    shown: String,
}

impl Terminal {
    fn open() -> (Self, File) {
        let ours: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        let theirs = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let shown = String::new();
        let ours = File::from(ours);
        (Self { ours, shown }, theirs)
    }

    /// Types a line once the program waits for one that is not shown.
    fn type_unseen(&mut self, question: &str, words: &str) {
        let begun = Instant::now();
        while !self.shown.contains(question) {
            self.read();
        }
        while tcgetattr(self.ours.as_fd())
            .unwrap()
            .local_modes
            .contains(LocalModes::ECHO)
        {
            assert!(begun.elapsed() < PATIENCE, "{question} is answered visibly");
            std::thread::sleep(Duration::from_millis(5));
        }
        self.shown.clear();
        writeln!(self.ours, "{words}").unwrap();
    }

    /// Reads on; false at the end.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 4_096];
        // Once nobody holds the other side any more, reading fails.
        let count = self.ours.read(&mut buffer).unwrap_or(0);
        self.shown.push_str(&String::from_utf8_lossy(&buffer[..count]));
        count > 0
    }
}

/// Runs the program at a terminal and answers each question; the exit code, and what stood there after the last answer.
fn answer(desk: &Desk, args: &[&str], questions: &[(&str, &str)]) -> (i32, String) {
    let (mut terminal, theirs) = Terminal::open();
    let side = || Stdio::from(theirs.try_clone().unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_crm"));
    command
        .args(args)
        .current_dir(desk.path(""))
        .env_clear()
        .envs([("USER", "tester"), ("TERM", "xterm")]);
    let mut child = command
        .stdin(side())
        .stdout(side())
        .stderr(side())
        .spawn()
        .unwrap();
    drop((command, theirs));
    for (question, words) in questions {
        terminal.type_unseen(question, words);
    }
    while terminal.read() {}
    (child.wait().unwrap().code().unwrap(), terminal.shown)
}

#[test]
fn a_passphrase_is_asked_for_twice_and_not_shown() {
    let desk = Desk::new();
    desk.customer("山田", &[]);
    let (new, again) = ("バックアップの合言葉", "もう一度");
    let right = "correct horse battery staple";
    let questions = [(new, right), (again, "mistyped"), (new, right), (again, right)];
    let (code, shown) = answer(&desk, &["backup", "sealed", "--encrypt"], &questions);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("暗号化したバックアップ"), "{shown}");
    let (code, shown) = answer(&desk, &["verify", "sealed"], &[(new, right)]);
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("horse"), "{shown}");
}

#[test]
fn a_password_is_asked_for_twice_and_not_shown() {
    let desk = Desk::new();
    let words = "very long and unheard of";
    let questions = [("新しいパスワード", words), ("もう一度", words)];
    let who = ["--email", "ken@example.jp", "--name", "Ken", "--role", "member"];
    let args = [&["user", "add"], &who[..], &["--password-stdin"]].concat();
    let (code, shown) = answer(&desk, &args, &questions);
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("unheard"), "{shown}");
}
