//! Databases with rows in every table, whatever tables there are, and a look at all of them.

use std::collections::BTreeMap;

use crm_domain::instant::Instant;
use crm_domain::ports::bulk::{Batch, BulkError, BulkSource, BulkTarget, Cell, CellKind, TableShape};

use crate::fixtures::start;

/// Texts that a careless way of moving them would break.
const TEXTS: [&str; 5] = [
    "渡邉 \u{20BB7}野家 👨‍👩‍👧",
    "a'b\"c\\d\te\nf\r\\N",
    "",
    "ﾊﾝｶｸ 全角　空白",
    "\u{FFFD}\u{0085}\u{7F}",
];

/// Puts `rows` rows into every table of an empty store that was begun: references hold, and no two rows of a table have a
/// value in common where it matters. A table that takes only one row gets one.
pub fn fill(target: &mut dyn BulkTarget, tables: &[TableShape], rows: i64) -> Result<(), BulkError> {
    for table in tables {
        let all = (1..=rows).collect::<Vec<_>>();
        if target.write(table, &batch(table, &all)).is_err() {
            target.write(table, &batch(table, &[1]))?;
        }
    }
    Ok(())
}

/// Rows with these numbers.
pub fn batch(table: &TableShape, numbers: &[i64]) -> Batch {
    let mut batch = Batch::default();
    for number in numbers {
        batch.begin_row();
        for (name, kind) in &table.columns {
            let text = text(name, *number);
            batch.push(match kind {
                CellKind::Int => Cell::Int(*number),
                CellKind::Real => Cell::Real(0.1 + f64::from(u32::try_from(*number).unwrap_or_default())),
                CellKind::Text => Cell::Text(&text),
                CellKind::Bytes => Cell::Bytes(text.as_bytes()),
                CellKind::Bool => Cell::Bool(number % 2 == 0),
                CellKind::At => Cell::At(at(*number)),
            });
        }
    }
    batch
}

fn text(column: &str, number: i64) -> String {
    let odd = usize::try_from(number)
        .ok()
        .and_then(|number| TEXTS.get(number % TEXTS.len()));
    // Digits of one length, so that the order as text is the order as numbers.
    format!("{number:06} {column} {}", odd.unwrap_or(&""))
}

/// The first lies in the year 1, as the mark of unfinished imports does.
fn at(number: i64) -> Instant {
    match number {
        1 => Instant::from_unix_millis(-62_135_596_800_000),
        2 => Instant::from_unix_millis(-1),
        _ => start().plus(time::Duration::milliseconds(number)),
    }
}

/// The rows of each of these tables as they are hashed, in the order of its key.
pub fn everything(
    source: &mut dyn BulkSource,
    tables: &[TableShape],
) -> Result<BTreeMap<String, Vec<u8>>, BulkError> {
    let mut all = BTreeMap::new();
    for table in tables {
        let mut rows = Vec::new();
        source.rows(table, None, &mut |batch| {
            rows.extend_from_slice(batch.bytes());
            Ok(())
        })?;
        all.insert(table.name.clone(), rows);
    }
    Ok(all)
}
