//! A database as the Python proof of concept leaves it after some years.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;

const SCHEMA: &str = "
CREATE TABLE companies (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, address TEXT, phone TEXT, website TEXT);
CREATE TABLE customers (id INTEGER PRIMARY KEY AUTOINCREMENT, first_name TEXT NOT NULL, last_name TEXT NOT NULL,
  email TEXT, phone TEXT, line_user_id TEXT, company_id INTEGER, FOREIGN KEY (company_id) REFERENCES companies (id));
CREATE TABLE activities (id INTEGER PRIMARY KEY AUTOINCREMENT, customer_id INTEGER NOT NULL, message TEXT NOT NULL,
  timestamp DATETIME NOT NULL, FOREIGN KEY (customer_id) REFERENCES customers (id));
";

const ROWS: &str = "
PRAGMA foreign_keys = OFF;
INSERT INTO companies (id, name, address, phone, website) VALUES
  (1, '青空商事', '東京都', '03-0000-1111', 'https://aozora.example'),
  (2, '', '', '', ''),
  (3, '改行
商店', NULL, '内線12', '準備中 です');
INSERT INTO customers (id, first_name, last_name, email, phone, line_user_id, company_id) VALUES
  (1, '花子', '山田', 'hanako@example.jp', '090-0000-1111', '00000000-0000-4000-8000-000000000001', 1),
  (2, 'たろう', '', '', '', '00000000-0000-4000-8000-000000000002', NULL),
  (3, '', '', NULL, NULL, NULL, ''),
  (4, '次郎', '田中', 'not-an-address', '電話なし', 'a b', 99),
  (5, '同じ人', '山田', NULL, 9000002222, '00000000-0000-4000-8000-000000000001', 2);
INSERT INTO activities (customer_id, message, timestamp) VALUES
  (1, 'こんにちは', '2025-07-08 11:45:46'),
  (1, '[送信] お世話になっております', '2025-07-08 11:46:00.123456'),
  (1, '前に [送信] と書きました', '2025-07-08T02:47:00.446Z'),
  (1, '[送信]と書いてあります', '2025-07-08T11:48:00+09:00'),
  (2, '読めない日時', 'きのう'),
  (2, '', '2025-07-08 11:49:00'),
  (77, '顧客のいないメッセージ', '2025-07-08 11:50:00');
";

/// Makes the file with all its oddities.
pub(crate) fn make(path: &Path) {
    let mut connection = open(path);
    connection.batch_execute(SCHEMA).unwrap();
    connection.batch_execute(ROWS).unwrap();
}

/// Runs further statements on it, as the old system did after the first import.
pub(crate) fn run(path: &Path, sql: &str) {
    open(path).batch_execute(sql).unwrap();
}

/// Makes a plain file with so many customers and messages.
pub(crate) fn make_many(path: &Path, customers: u32, activities: u32) {
    let mut connection = open(path);
    connection.batch_execute(SCHEMA).unwrap();
    let sql = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {customers})
         INSERT INTO customers (first_name, last_name, line_user_id)
         SELECT '花子' || i, '山田', printf('%08x-0000-4000-8000-000000000000', i) FROM n;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {activities})
         INSERT INTO activities (customer_id, message, timestamp)
         SELECT i % {customers} + 1, '文章 ' || i, datetime('2025-07-08', '+' || i || ' seconds') FROM n;"
    );
    connection.batch_execute(&sql).unwrap();
}

fn open(path: &Path) -> SqliteConnection {
    SqliteConnection::establish(path.to_str().unwrap()).unwrap()
}
