//! The table that goes into `docs/performance.md`.

/// Lines of measurement and value.
#[derive(Default)]
pub(crate) struct Report(Vec<(String, String)>);

impl Report {
    pub(crate) fn add(&mut self, what: &str, value: impl Into<String>) {
        let value = value.into();
        println!("{what}: {value}");
        self.0.push((what.to_owned(), value));
    }

    /// Prints all lines as a Markdown table.
    pub(crate) fn print(&self) {
        println!("\n| measured | value |\n|---|---|");
        for (what, value) in &self.0 {
            println!("| {what} | {value} |");
        }
    }
}
