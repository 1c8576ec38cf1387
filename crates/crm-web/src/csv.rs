//! Files for spreadsheet programs: CSV in UTF-8 with a mark at its beginning, lines ended by CR LF, and no cell that a
//! program would compute.

use std::io;

use bytes::Bytes;
use crm_domain::error::Error;
use poem::Response;
use poem::http::header;

use crate::pieces;
use crate::problem::causes;

/// What stands at the beginning of a file, so that spreadsheet programs know that it is UTF-8.
const BEGINNING: &str = "\u{feff}";

/// One line.
pub(crate) fn line<S: AsRef<str>>(cells: &[S]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(&guarded(cell.as_ref()))).collect();
    format!("{}\r\n", cells.join(","))
}

/// An answer that is saved as a file: `head`, then the lines of one page after the other; `page` reads the lines behind a
/// place and says where they ended, without lines that there are no more. One that cannot be read cuts the file off.
pub(crate) fn download<P, F, R>(name: &str, head: String, mut page: F) -> Response
where
    P: Send + 'static,
    F: FnMut(Option<P>) -> R + Send + 'static,
    R: Future<Output = Result<(Vec<String>, Option<P>), Error>> + Send,
{
    let (sender, body) = pieces::body();
    tokio::spawn(async move {
        let mut piece = format!("{BEGINNING}{head}");
        let mut after = None;
        loop {
            if sender.send(Ok(Bytes::from(piece))).await.is_err() {
                return;
            }
            match page(after).await {
                Ok((lines, place)) if !lines.is_empty() => {
                    piece = lines.concat();
                    after = place;
                }
                Ok(_) => return,
                Err(error) => {
                    tracing::error!("a file could not be written to its end: {}", causes(&error));
                    let _ = sender.send(Err(io::Error::other("reading failed"))).await;
                    return;
                }
            }
        }
    });
    Response::builder()
        .content_type("text/csv; charset=utf-8")
        .header(
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        )
        .header(header::CACHE_CONTROL, "private, no-store")
        .body(body)
}

/// What begins like a formula gets a quotation mark in front, which our own import takes off again. Numbers and telephone
/// numbers stay as they are.
fn guarded(cell: &str) -> String {
    let harmless = cell
        .chars()
        .all(|letter| letter.is_ascii_digit() || matches!(letter, '+' | '-' | '(' | ')' | '.' | ' '));
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    if formula && !harmless {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

fn quoted(cell: &str) -> String {
    let plain = !cell.contains([',', '"', '\n', '\r']) && cell.trim() == cell;
    if plain {
        cell.to_owned()
    } else {
        format!("\"{}\"", cell.replace('"', "\"\""))
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(
            line(&["山田", "a,b", "say \"x\"", "two\nlines", "", " x"]),
            "山田,\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",,\" x\"\r\n"
        );
    }

    #[test]
    fn formulas_are_guarded_and_numbers_are_not() {
        for (cell, written) in [
            ("=1+1", "'=1+1\r\n"),
            ("@SUM(A1)", "'@SUM(A1)\r\n"),
            ("-2+cmd", "'-2+cmd\r\n"),
            ("+81-90-0000-1111", "+81-90-0000-1111\r\n"),
            ("-12.5", "-12.5\r\n"),
            ("＝1", "'＝1\r\n"),
            ("\tx", "'\tx\r\n"),
            ("a=b", "a=b\r\n"),
        ] {
            assert_eq!(line(&[cell]), written, "{cell}");
        }
    }
}
