//! Fuzzing on the stable toolchain: real inputs, changed at random for a while, handed to a function that panics when a
//! promise is broken. `scripts/fuzz` hands the same functions to cargo-fuzz, for as long as one likes.

use std::hash::{BuildHasher as _, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

mod change;

pub use change::Dice;

/// How long one target runs unless `FUZZ_SECONDS` says otherwise.
const SECONDS: u64 = 10;
/// Of an input that broke a promise, so much is printed; the case can be had again by its seed.
const SHOWN: usize = 4_096;

/// Tries the target on every file of `fuzz/seeds/<name>` as it is, and then on changed ones for 10 seconds.
///
/// # Panics
/// If the target does, with the input; and if there is no file to begin with.
pub fn run(name: &str, target: fn(&[u8])) {
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "fuzz/seeds/{name} holds nothing to begin with");
    for (file, input) in &seeds {
        check(target, input, || format!("the file fuzz/seeds/{name}/{file}"));
    }
    let inputs: Vec<Vec<u8>> = seeds.into_iter().map(|(_, input)| input).collect();
    let seed = number("FUZZ_SEED").unwrap_or_else(|| RandomState::new().hash_one(name));
    let life = Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(SECONDS));
    say(&format!(
        "fuzz target {name}: {} files, {life:?}, FUZZ_SEED={seed}",
        inputs.len()
    ));
    let begun = Instant::now();
    let mut cases = 0_u64;
    while begun.elapsed() < life {
        let input = change::changed(&mut Dice::new(seed, cases), &inputs);
        check(target, &input, || {
            format!("case {cases} of FUZZ_SEED={seed}; keep the input as a file in fuzz/seeds/{name}")
        });
        cases += 1;
    }
    say(&format!(
        "fuzz target {name}: {cases} cases in {:?}",
        begun.elapsed()
    ));
}

/// Like [`run`] for one input; the panic names it.
fn check(target: fn(&[u8]), input: &[u8], which: impl Fn() -> String) {
    let Err(broken) = catch_unwind(AssertUnwindSafe(|| target(input))) else {
        return;
    };
    let why = broken
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| broken.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without words");
    let shown = &input[..input.len().min(SHOWN)];
    panic!(
        "{why}\nby {}\n{} bytes; as text: {}\nto make the file: echo {} | xxd -r -p",
        which(),
        input.len(),
        shown.escape_ascii(),
        hex(shown)
    );
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The files of a target, by name.
fn seeds(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds")).join(name);
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let input = std::fs::read(&path).ok()?;
            Some((path.file_name()?.to_string_lossy().into_owned(), input))
        })
        .collect();
    files.sort();
    files
}

#[expect(
    clippy::disallowed_methods,
    reason = "no setting of the product: who runs the tests gives it"
)]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[expect(
    clippy::print_stderr,
    reason = "said before the first case: after an abort it is all that is known"
)]
fn say(line: &str) {
    eprintln!("{line}");
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_broken_promise_is_told_with_its_input() {
        let target = |input: &[u8]| assert!(input != b"a\0", "the promise");
        check(target, b"ab", || "unused".to_owned());
        let told = std::panic::catch_unwind(|| check(target, b"a\0", || "case 7 of FUZZ_SEED=5".to_owned()));
        let told = told.unwrap_err();
        let told = told.downcast_ref::<String>().unwrap();
        for part in [
            "the promise",
            "case 7 of FUZZ_SEED=5",
            "2 bytes",
            r"a\x00",
            "echo 6100",
        ] {
            assert!(told.contains(part), "{told}");
        }
    }
}
