//! The one place that writes to the terminal.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use serde::Serialize;

use crate::args::Format;
use crate::failure::Failure;
use crate::texts::Texts;

/// Something that can be a row.
pub(crate) trait Row: Serialize {
    /// The columns' names; the words for them are `column.<name>`.
    const COLUMNS: &'static [&'static str];

    /// What stands in the columns.
    fn cells(&self, view: &View<'_>) -> Vec<String>;
}

/// What cells need to know to be written for people.
pub(crate) struct View<'a> {
    /// The words.
    pub(crate) texts: &'a Texts,
    /// In which times are shown.
    pub(crate) zone: &'a crm_compose::TimeZone,
}

/// Writes results and errors.
pub(crate) struct Output {
    format: Format,
    texts: Texts,
}

impl Output {
    pub(crate) fn new(format: Format, texts: Texts) -> Self {
        Self { format, texts }
    }

    pub(crate) fn texts(&self) -> &Texts {
        &self.texts
    }

    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// A list: a table, or an array of objects.
    pub(crate) fn list<R: Row>(&self, rows: &[R], zone: &crm_compose::TimeZone) {
        if self.is_json() {
            return json(rows);
        }
        let view = View {
            texts: &self.texts,
            zone,
        };
        let mut table = empty_table();
        table.set_header(R::COLUMNS.iter().map(|name| self.column(name)));
        for row in rows {
            table.add_row(row.cells(&view).iter().map(|cell| printable(cell)));
        }
        line(&table.trim_fmt());
    }

    /// One record: a line for each column, or an object.
    pub(crate) fn record<R: Row>(&self, row: &R, zone: &crm_compose::TimeZone) {
        if self.is_json() {
            return json(row);
        }
        let view = View {
            texts: &self.texts,
            zone,
        };
        let mut table = empty_table();
        for (name, cell) in R::COLUMNS.iter().zip(row.cells(&view)) {
            table.add_row([self.column(name), printable(&cell)]);
        }
        line(&table.trim_fmt());
    }

    /// A sentence for people, an object for programs.
    pub(crate) fn said(&self, sentence: &str, value: &impl Serialize) {
        if self.is_json() {
            json(value);
        } else {
            line(sentence);
        }
    }

    /// Says what went wrong, and with which status the program ends.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        note(&failure.sentence(&self.texts));
        ExitCode::from(failure.exit())
    }

    fn column(&self, name: &str) -> String {
        self.texts.text(&format!("column.{name}"))
    }
}

/// A command line that is none; help that was asked for is no misuse.
pub(crate) fn misuse(error: &clap::Error, texts: &Texts) -> ExitCode {
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let text = error.render().to_string();
    if asked {
        write_all(&mut io::stdout().lock(), &text);
        return ExitCode::SUCCESS;
    }
    let hint = texts.text("failure.misused");
    write_all(
        &mut io::stderr().lock(),
        &format!("{}\n{hint} [misused]\n", text.trim_end()),
    );
    ExitCode::from(2)
}

/// Text as it is, whatever the format.
pub(crate) fn raw(text: &str) {
    write_all(&mut io::stdout().lock(), text);
}

/// A line beside the results, on standard error.
pub(crate) fn note(text: &str) {
    write_all(&mut io::stderr().lock(), &format!("{text}\n"));
}

fn json<T: Serialize + ?Sized>(value: &T) {
    line(&serde_json::to_string_pretty(value).unwrap_or_default());
}

fn line(text: &str) {
    raw(&format!("{text}\n"));
}

fn empty_table() -> Table {
    let mut table = Table::new();
    let style = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
    table.load_style(style);
    // In a terminal long texts are wrapped within their column.
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table
}

/// What people and customers typed could steer the terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').collect()
}

/// Who closed the pipe has read enough.
fn write_all(out: &mut dyn Write, text: &str) {
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        // Nobody is left to be told.
    }
}
