//! The sentences for problems and warnings, in both languages side by side.

use crm_domain::members::Locale;

use super::problem::{Fault, Warning};

pub(super) fn heading(locale: Locale) -> &'static str {
    pick(
        locale,
        "設定に誤りがあるため開始できません。次のすべてを直してください。",
        "The settings cannot be used. Please mend each of these:",
    )
}

pub(super) fn mark_of_warning(locale: Locale) -> &'static str {
    pick(locale, "注意: ", "Note: ")
}

fn pick(locale: Locale, ja: &'static str, en: &'static str) -> &'static str {
    match locale {
        Locale::Ja => ja,
        Locale::En => en,
    }
}

pub(super) fn of_fault(fault: &Fault, locale: Locale) -> String {
    match locale {
        Locale::Ja => ja(fault),
        Locale::En => en(fault),
    }
}

fn ja(fault: &Fault) -> String {
    match fault {
        Fault::Both { other } => format!("{other} と同時には指定できません。どちらか一方を消してください"),
        Fault::Unreadable { path, error } => {
            format!("{} を読めません（{error}）。場所と権限を確かめてください", path.display())
        }
        Fault::BadLine { line } => {
            format!("{line}行目を読めません。「名前=値」の形にし、引用符は閉じてください")
        }
        Fault::NotAChoice { given, choices } => {
            format!("「{given}」は使えません。{choices} のいずれかにしてください")
        }
        Fault::NotAnAddress { given } => {
            format!("「{given}」はアドレスとポートではありません。0.0.0.0:3000 のように書いてください")
        }
        Fault::SameAddress { other } => format!("{other} と同じアドレスです。別のポートにしてください"),
        Fault::NeededBy { other } => {
            format!("{other} と対で使います。両方を指定するか、{other} を消してください")
        }
        Fault::NotAUrl { given, example } => {
            format!("「{given}」はURLとして使えません。{example} のように書いてください")
        }
        Fault::NotANumber { given, min } => format!("「{given}」は使えません。{min}以上の整数にしてください"),
        Fault::NotARange { given } => format!(
            "「{given}」はアドレスの範囲ではありません。203.0.113.0/24 のように書き、複数はカンマで区切ってください"
        ),
        Fault::UnknownZone { given } => {
            format!("「{given}」というタイムゾーンはありません。Asia/Tokyo や UTC のように書いてください")
        }
        Fault::NotAFilter { given } => format!(
            "「{given}」は使えません。error, warning, info, debug のいずれか、または webhook=debug,info のように書いてください"
        ),
        Fault::TooShort { min } => {
            format!("短すぎます。{min}バイト以上の推測できない文字列にしてください（例: openssl rand -hex 32）")
        }
        Fault::MistypedKey { line } => {
            format!("復旧シートの{line}行目と一致しません。その行を見直してください")
        }
        Fault::ShortPassphrase { min } => format!("短すぎます。推測できない{min}文字以上の合言葉にしてください"),
        Fault::NotATime => "時刻ではありません。03:00 のように書いてください".to_owned(),
        Fault::NeedsServer => "CRM_DATABASE_URL がPostgreSQLのときだけ使えます。どちらかを直してください".to_owned(),
        Fault::KeyNeededWithServer => "PostgreSQLを使うときは必要です。すべてのサーバーに同じ値を指定してください（はじめてなら openssl rand -hex 32 の出力、crm db copy や crm restore で移したデータベースなら元の鍵）".to_owned(),
        Fault::NotADatabase => "データベースの場所ではありません。sqlite://data/crm.db（絶対パスは sqlite:///var/lib/crm/crm.db）か postgres://ユーザー:パスワード@ホスト:5432/データベース名 のように書いてください".to_owned(),
        Fault::Malformed => "空白や改行など、使えない文字が入っています。値を貼り直してください".to_owned(),
        Fault::MissingForLineWorks => "LINE WORKSの設定が途中です。Developer Consoleの値を指定するか、LINE_WORKS_ で始まる設定をすべて消してください".to_owned(),
        Fault::BotSecretMissing => "Developer ConsoleのBot > 対象のBot > Bot Secretの値を指定してください。これがないと偽のコールバックを見分けられません（試験環境だけ LINE_WORKS_ALLOW_UNSIGNED=true で省けます）".to_owned(),
        Fault::KeyFileMissing { path } => format!(
            "秘密鍵ファイル {} がありません。Developer ConsoleのAPI 2.0 > アプリ > Private Keyで発行したファイルをここに置いてください",
            path.display()
        ),
        Fault::NotPem => "秘密鍵がPEM形式ではありません。-----BEGIN PRIVATE KEY----- から -----END PRIVATE KEY----- までをそのまま使ってください".to_owned(),
        Fault::NotBase64 => "Base64ではありません。base64 -w0 private.key の出力を指定してください".to_owned(),
    }
}

fn en(fault: &Fault) -> String {
    match fault {
        Fault::Both { other } => format!("cannot be given together with {other}; remove one of them"),
        Fault::Unreadable { path, error } => {
            format!("{} cannot be read ({error}); check the place and the permissions", path.display())
        }
        Fault::BadLine { line } => {
            format!("line {line} cannot be read; write NAME=value, and close quotation marks")
        }
        Fault::NotAChoice { given, choices } => format!("“{given}” is not possible; give one of {choices}"),
        Fault::NotAnAddress { given } => {
            format!("“{given}” is not an address with a port; write it like 0.0.0.0:3000")
        }
        Fault::SameAddress { other } => format!("is the address of {other} too; choose another port"),
        Fault::NeededBy { other } => format!("goes with {other}; give both, or remove {other}"),
        Fault::NotAUrl { given, example } => format!("“{given}” is no usable URL; write it like {example}"),
        Fault::NotANumber { given, min } => {
            format!("“{given}” is not possible; give a whole number from {min} up")
        }
        Fault::NotARange { given } => format!(
            "“{given}” is not a range of addresses; write it like 203.0.113.0/24, several separated by commas"
        ),
        Fault::UnknownZone { given } => {
            format!("there is no time zone “{given}”; write it like Asia/Tokyo or UTC")
        }
        Fault::NotAFilter { given } => format!(
            "“{given}” is not possible; give error, warning, info or debug, or a list like webhook=debug,info"
        ),
        Fault::TooShort { min } => {
            format!("is too short; give at least {min} bytes that nobody can guess (openssl rand -hex 32)")
        }
        Fault::MistypedKey { line } => format!("line {line} is not as on the sheet; look at it again"),
        Fault::ShortPassphrase { min } => format!("is too short; give at least {min} characters that nobody can guess"),
        Fault::NotATime => "is no time of day; write it like 03:00".to_owned(),
        Fault::NeedsServer => "goes with a CRM_DATABASE_URL of PostgreSQL only; mend one of the two".to_owned(),
        Fault::KeyNeededWithServer => "is needed with PostgreSQL; give every server the same (a first one: openssl rand -hex 32; of a database that was copied or restored: its former key)".to_owned(),
        Fault::NotADatabase => "is no database; write it like sqlite://data/crm.db (an absolute path: sqlite:///var/lib/crm/crm.db) or postgres://user:password@host:5432/name".to_owned(),
        Fault::Malformed => "holds blanks, line breaks or other signs that cannot be there; paste the value again".to_owned(),
        Fault::MissingForLineWorks => "LINE WORKS is set up in part; take the value from the Developer Console, or remove every setting that begins with LINE_WORKS_".to_owned(),
        Fault::BotSecretMissing => "take it from the Developer Console: Bot > your bot > Bot Secret. Without it forged callbacks cannot be told from real ones (for trials only: LINE_WORKS_ALLOW_UNSIGNED=true)".to_owned(),
        Fault::KeyFileMissing { path } => format!(
            "there is no key file {}; put the file there that the Developer Console issued (API 2.0 > your app > Private Key)",
            path.display()
        ),
        Fault::NotPem => "the private key is not PEM; use all of it from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----".to_owned(),
        Fault::NotBase64 => "is not base64; give the output of base64 -w0 private.key".to_owned(),
    }
}

pub(super) fn of_warning(warning: &Warning, locale: Locale) -> String {
    match (warning, locale) {
        (Warning::UnknownName(name), Locale::Ja) => {
            format!(
                "{name}: このシステムの設定ではないため無視します（名前の誤りでなければそのままで構いません）"
            )
        }
        (Warning::UnknownName(name), Locale::En) => {
            format!("{name}: is none of our settings and is ignored (fine unless it is misspelt)")
        }
        (Warning::PlainHttp(name), Locale::Ja) => {
            format!(
                "{name}: http:// では秘密の値が暗号化されずに送られます。試験環境以外では https:// にしてください"
            )
        }
        (Warning::PlainHttp(name), Locale::En) => {
            format!("{name}: over http:// secrets travel in the clear; use https:// but for trials")
        }
        (Warning::UnsignedAllowed, Locale::Ja) => {
            "LINE_WORKS_ALLOW_UNSIGNED: 署名のないコールバックを受け付けます。誰でも偽のメッセージを送れます"
                .to_owned()
        }
        (Warning::UnsignedAllowed, Locale::En) => {
            "LINE_WORKS_ALLOW_UNSIGNED: callbacks without signature are accepted; anybody can forge messages"
                .to_owned()
        }
    }
}
