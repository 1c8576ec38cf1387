//! Rows of an office that talks a lot, made table by table without a store's help: fast enough for tens of millions.

use std::ops::Range;

use anyhow::bail;
use crm_domain::instant::Instant;
use crm_domain::ports::bulk::{Batch, Cell, TableShape};

/// Of ten messages so many were received; the others were sent.
const RECEIVED: i64 = 7;
/// A waiting for so many messages.
const WAITING: i64 = 5;
/// 2024-07-01T00:00:00Z; messages come every three seconds from then on.
const BEGAN: i64 = 1_719_792_000_000;

const LAST: [&str; 8] = ["佐藤", "鈴木", "高橋", "田中", "渡邉", "伊藤", "齋藤", "加藤"];
const FIRST: [&str; 8] = ["太郎", "花子", "次郎", "美咲", "健一", "陽子", "翔太", "さくら"];
const SAID: [&str; 8] = [
    "お世話になっております。先日お願いした見積もりの件はいかがでしょうか。",
    "ありがとうございます。金曜日の午後3時でお願いいたします。",
    "承知しました。",
    "納品書を確認しましたが、数量が注文と違うようです。至急ご確認をお願いします。",
    "サーバーの件、担当の者から折り返しご連絡いたします。少々お待ちください。",
    "はい、大丈夫です。よろしくお願いします！",
    "写真を送りますので、見ていただけますか。駐車場の入口のところです。",
    "来月の定例会の資料をお送りします。ご不明な点がございましたらお知らせください。",
];

/// The tables that get rows, parents first.
pub(crate) fn filled_tables() -> &'static [&'static str] {
    &[
        "companies",
        "customers",
        "conversations",
        "waitings",
        "receipts",
        "sends",
        "activities",
    ]
}

/// How many of what.
pub(crate) struct Rows {
    customers: i64,
    activities: i64,
}

impl Rows {
    pub(crate) fn new(customers: i64, activities: i64) -> Self {
        Self {
            customers,
            activities,
        }
    }

    /// The columns that are given; the others keep what they have by themselves.
    pub(crate) fn shape(&self, table: &TableShape) -> anyhow::Result<TableShape> {
        let others: Vec<&str> = table.columns.iter().map(|column| column.0.as_str()).collect();
        let others: Vec<&str> = others
            .into_iter()
            .filter(|name| self.cell(&table.name, name, 1, &mut String::new()).is_none())
            .collect();
        let shape = table.without(&others);
        if shape.columns.len() < 3 {
            bail!("table {} has other columns than this program knows", table.name);
        }
        Ok(shape)
    }

    pub(crate) fn count(&self, table: &str) -> i64 {
        match table {
            "companies" => self.customers / 10 + 1,
            "customers" | "conversations" => self.customers,
            "waitings" => self.activities / WAITING,
            "receipts" => received_until(self.activities),
            "sends" => self.activities - received_until(self.activities),
            _ => self.activities,
        }
    }

    pub(crate) fn batch(&self, table: &TableShape, numbers: Range<i64>) -> Batch {
        let mut batch = Batch::with_capacity(1 << 20);
        let mut text = String::new();
        for number in numbers {
            batch.begin_row();
            for (column, _) in &table.columns {
                text.clear();
                batch.push(
                    self.cell(&table.name, column, number, &mut text)
                        .unwrap_or(Cell::Null),
                );
            }
        }
        batch
    }

    fn cell<'a>(&self, table: &str, column: &str, n: i64, text: &'a mut String) -> Option<Cell<'a>> {
        if column == "id" {
            return Some(Cell::Int(n));
        }
        match table {
            "companies" => company(column, n, text),
            "customers" => customer(column, n, text),
            "conversations" => talk(column, n, text),
            "waitings" => self.waiting(column, n),
            "receipts" => self.receipt(column, n, text),
            "sends" => self.send(column, n, text),
            _ => self.activity(column, n),
        }
    }

    /// Whose message this is: few have many.
    fn person(&self, message: i64) -> i64 {
        let dice = scattered(message) % (self.customers * self.customers);
        self.customers - dice.isqrt()
    }

    fn waiting(&self, column: &str, n: i64) -> Option<Cell<'static>> {
        Some(match column {
            "conversation_id" => Cell::Int(self.person(n * WAITING)),
            "since" | "first_response_at" => at(n * WAITING),
            "until" => at(n * WAITING + 1),
            "ended" => Cell::Text("answered"),
            _ => return None,
        })
    }

    fn receipt<'a>(&self, column: &str, n: i64, text: &'a mut String) -> Option<Cell<'a>> {
        let message = (n - 1) / RECEIVED * 10 + (n - 1) % RECEIVED + 1;
        Some(match column {
            "bot" => Cell::Text("2000001"),
            "issued" => {
                *text = Instant::from_unix_millis(BEGAN + message * 3_000).to_string();
                Cell::Text(text)
            }
            "digest" => {
                *text = format!("{:016x}", scattered(n));
                Cell::Bytes(text.as_bytes())
            }
            "body" => Cell::Bytes(&[]),
            "received_at" | "settled_at" => at(message),
            "state" => Cell::Text("recorded"),
            "conversation_id" => Cell::Int(self.person(message)),
            _ => return None,
        })
    }

    fn send<'a>(&self, column: &str, n: i64, text: &'a mut String) -> Option<Cell<'a>> {
        let message = (n - 1) / (10 - RECEIVED) * 10 + (n - 1) % (10 - RECEIVED) + RECEIVED + 1;
        Some(match column {
            "key" => {
                *text = format!("{:016x}{n:016x}", scattered(n));
                Cell::Text(text)
            }
            "conversation_id" => Cell::Int(self.person(message)),
            "text" => Cell::Text(said(message)),
            "author_name" => Cell::Text("営業 一郎"),
            "state" => Cell::Text("sent"),
            "queued_at" | "finished_at" => at(message),
            _ => return None,
        })
    }

    fn activity(&self, column: &str, n: i64) -> Option<Cell<'static>> {
        let heard = (n - 1) % 10 < RECEIVED;
        Some(match column {
            "customer_id" | "conversation_id" => Cell::Int(self.person(n)),
            "message" => Cell::Text(said(n)),
            "timestamp" => at(n),
            "direction" => Cell::Text(if heard { "received" } else { "sent" }),
            "kind" => Cell::Text("text"),
            "receipt_id" if heard => Cell::Int(received_until(n)),
            "send_id" if !heard => Cell::Int(n - received_until(n)),
            "receipt_id" | "send_id" => Cell::Null,
            _ => return None,
        })
    }
}

/// How many of the first messages were received.
fn received_until(message: i64) -> i64 {
    message / 10 * RECEIVED + (message % 10).min(RECEIVED)
}

fn company<'a>(column: &str, n: i64, text: &'a mut String) -> Option<Cell<'a>> {
    Some(match column {
        "name" | "sort_key" | "name_key" => {
            *text = format!("株式会社{}商事{n}", one(&LAST, n));
            Cell::Text(text)
        }
        _ => return None,
    })
}

fn customer<'a>(column: &str, n: i64, text: &'a mut String) -> Option<Cell<'a>> {
    let (last, first) = (one(&LAST, n), one(&FIRST, n / 8));
    Some(match column {
        "last_name" => Cell::Text(last),
        "first_name" => Cell::Text(first),
        "sort_key" | "name_key" => {
            *text = format!("{last}{first}{n}");
            Cell::Text(text)
        }
        "email" | "email_key" => {
            *text = format!("customer{n}@example.jp");
            Cell::Text(text)
        }
        "line_user_id" => {
            *text = user_id(n);
            Cell::Text(text)
        }
        "company_id" => Cell::Int(n / 10 + 1),
        _ => return None,
    })
}

fn talk<'a>(column: &str, n: i64, text: &'a mut String) -> Option<Cell<'a>> {
    Some(match column {
        "bot" => Cell::Text("2000001"),
        "address" => {
            *text = user_id(n);
            Cell::Text(text)
        }
        "kind" => Cell::Text("person"),
        "link" => Cell::Text("active"),
        "link_at" | "created_at" | "last_at" | "board_at" => at(n),
        "last_direction" => Cell::Text("sent"),
        "last_kind" => Cell::Text("text"),
        "last_text" => Cell::Text(said(n)),
        "customer_id" | "received" => Cell::Int(n),
        "board_place" => Cell::Int(3),
        _ => return None,
    })
}

fn at(message: i64) -> Cell<'static> {
    Cell::At(Instant::from_unix_millis(
        BEGAN + message * 3_000 + scattered(message) % 3_000,
    ))
}

fn said(message: i64) -> &'static str {
    one(&SAID, scattered(message))
}

fn one(words: &[&'static str; 8], number: i64) -> &'static str {
    let place = usize::try_from(number & 7).unwrap_or_default();
    words.get(place).copied().unwrap_or_default()
}

fn user_id(n: i64) -> String {
    format!("{n:08x}-5a3d-4c1e-9b20-{n:012x}")
}

/// The same number for the same number, scattered over 0 to 2^62.
fn scattered(number: i64) -> i64 {
    let mut mixed = number.cast_unsigned().wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed ^ (mixed >> 31)).cast_signed() & i64::MAX >> 1
}

#[cfg(test)]
mod tests {
    use super::{Rows, received_until};

    #[test]
    fn every_message_has_its_callback_or_its_sending() {
        let rows = Rows::new(10, 25);
        assert_eq!((rows.count("receipts"), rows.count("sends")), (19, 6));
        assert_eq!([1, 7, 8, 10, 11].map(received_until), [1, 7, 7, 7, 8]);
        for message in 1..1_000 {
            let person = rows.person(message);
            assert!((1..=10).contains(&person), "{person}");
        }
    }
}
