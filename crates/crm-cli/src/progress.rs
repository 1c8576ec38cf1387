//! A bar on standard error, where somebody looks at one.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar of so many rows; shows nothing where standard error is no terminal.
pub(crate) fn bar(rows: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(rows), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} {eta} {msg}");
    style.map_or(bar.clone(), |style| bar.with_style(style))
}
