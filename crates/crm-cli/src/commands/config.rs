//! `crm config`.

use crm_compose::settings::{Origin, Shown, example};
use crm_compose::{Need, Settings, Source, TimeZone, source_with_pages};
use serde::Serialize;
use serde_json::json;

use super::{DONE, FAILED, Outcome};
use crate::context::Context;
use crate::output::{self, Row, View};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Config {
    /// Say every problem of the settings.
    Check,
    /// Show the values in force and where they come from; secrets are hidden.
    Show,
    /// Write a commented .env file to standard output.
    Example,
}

#[derive(Serialize)]
struct SettingRow {
    name: &'static str,
    value: String,
    origin: String,
}

impl SettingRow {
    fn new(shown: &Shown) -> Self {
        let origin = match &shown.origin {
            Origin::Environment => "environment".to_owned(),
            Origin::DotEnv => ".env".to_owned(),
            Origin::File(path) => path.display().to_string(),
            Origin::Default => "default".to_owned(),
            Origin::Pages => "pages".to_owned(),
        };
        Self {
            name: shown.name,
            value: shown.value.clone(),
            origin,
        }
    }
}

impl Row for SettingRow {
    const COLUMNS: &'static [&'static str] = &["setting", "value", "origin"];

    fn cells(&self, view: &View<'_>) -> Vec<String> {
        let origin = view.texts.find(&format!("origin.{}", self.origin));
        vec![
            self.name.to_owned(),
            self.value.clone(),
            origin.unwrap_or(&self.origin).to_owned(),
        ]
    }
}

pub(crate) async fn run(context: &Context, command: &Config) -> Outcome {
    let source = source_with_pages(&context.source).await;
    match command {
        Config::Check => check(context, &source),
        Config::Show => show(context, &source),
        Config::Example => {
            output::raw(&example(context.source.locale()));
            DONE
        }
    }
}

/// The values first, the wrong ones as given; what is wrong with them comes after.
fn show(context: &Context, source: &Source) -> Outcome {
    let (shown, problems) = match Settings::read(source, Need::Everything) {
        Ok(loaded) => (loaded.shown, None),
        Err(mut error) => (std::mem::take(&mut error.shown), Some(error)),
    };
    let rows: Vec<SettingRow> = shown.iter().map(SettingRow::new).collect();
    context.output.list(&rows, &TimeZone::tokyo());
    match problems {
        None => DONE,
        Some(error) => Err(error.into()),
    }
}

/// Problems are the result here, not an error: they go to standard output with status 1.
fn check(context: &Context, source: &Source) -> Outcome {
    let locale = source.locale();
    let (problems, warnings) = match Settings::read(source, Need::Everything) {
        Ok(loaded) => (Vec::new(), loaded.warnings),
        Err(error) => (error.lines(), error.warnings),
    };
    let warnings: Vec<String> = warnings.iter().map(|warning| warning.line(locale)).collect();
    let texts = context.output.texts();
    let mut lines: Vec<String> = problems.clone();
    lines.extend(
        warnings
            .iter()
            .map(|line| texts.fill("config.warning", &[("line", line)])),
    );
    if problems.is_empty() {
        lines.push(texts.text("config.fine"));
    }
    let json = json!({"ok": problems.is_empty(), "problems": problems, "warnings": warnings});
    context.output.said(&lines.join("\n"), &json);
    if problems.is_empty() { DONE } else { FAILED }
}
