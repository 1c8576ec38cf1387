//! Every setting by name: what `crm config` shows and explains.

/// A setting.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// Whether its value is never shown.
    pub secret: bool,
    /// What holds when it is not given, as text; empty for nothing.
    pub default: &'static str,
    /// What it means, in Japanese.
    pub ja: &'static str,
    /// What it means, in English.
    pub en: &'static str,
    /// Its name ends in `_FILE` because it names the file that holds another setting's value.
    pub is_file_of_other: bool,
}

const fn plain(name: &'static str, default: &'static str, ja: &'static str, en: &'static str) -> Known {
    Known {
        name,
        secret: false,
        default,
        ja,
        en,
        is_file_of_other: false,
    }
}

const fn secret(name: &'static str, ja: &'static str, en: &'static str) -> Known {
    Known {
        secret: true,
        ..plain(name, "", ja, en)
    }
}

const fn file(name: &'static str, default: &'static str, ja: &'static str, en: &'static str) -> Known {
    Known {
        is_file_of_other: true,
        ..plain(name, default, ja, en)
    }
}

/// All of them, in the order in which they are shown.
pub const ALL: &[Known] = &[
    plain(
        "CRM_LISTEN",
        "0.0.0.0:3000",
        "待ち受けるアドレスとポート",
        "address and port to listen on",
    ),
    plain(
        "CRM_PUBLIC_URL",
        "http://localhost:3000",
        "ブラウザーから見たURL。複数はカンマ区切り、最初のものをリンクに使う",
        "what browsers call it; several separated by commas, the first is used in links",
    ),
    plain(
        "CRM_CALLBACK_LISTEN",
        "",
        "/webhook と /healthz だけを公開する2つ目のアドレス",
        "a second address that serves only /webhook and /healthz",
    ),
    plain(
        "CRM_TRUSTED_PROXIES",
        "",
        "X-Forwarded-For を信じるプロキシの範囲（CIDR、カンマ区切り）",
        "proxies whose X-Forwarded-For is believed (CIDR list)",
    ),
    plain(
        "CRM_TLS_CERT",
        "",
        "プロキシなしでhttpsを使うときの証明書（PEM、中間証明書も続けて入れる）。入れ替えると再起動なしで使われる",
        "certificate with those above it (PEM), for https without a proxy; a new one is used without a restart",
    ),
    plain(
        "CRM_TLS_KEY",
        "",
        "CRM_TLS_CERT の秘密鍵（PEM）",
        "the private key of CRM_TLS_CERT (PEM)",
    ),
    plain(
        "CRM_CONNECTIONS_PER_ADDRESS",
        "256",
        "1つのアドレスからの同時接続数（信頼するプロキシは数えない）",
        "connections at once from one address; trusted proxies are not counted",
    ),
    plain(
        "CRM_DATA_DIR",
        "data",
        "データベース、鍵、添付などを置くフォルダー",
        "folder of database, key and files",
    ),
    plain(
        "CRM_DATABASE_URL",
        "sqlite://<CRM_DATA_DIR>/crm.db",
        "データベースの場所。PostgreSQLは postgres://ユーザー:パスワード@ホスト:5432/名前?sslmode=verify-full",
        "the database; PostgreSQL: postgres://user:password@host:5432/name?sslmode=verify-full, several hosts by commas",
    ),
    plain(
        "CRM_DATABASE_REPLICA_URL",
        "",
        "少し古くてもよい読み取り（書き出し、監査ログ）に使うPostgreSQLのレプリカ",
        "a replica of PostgreSQL for readings that may be a little old (exports, audit log)",
    ),
    plain(
        "CRM_DATABASE_CONNECTIONS",
        "16",
        "PostgreSQLへの同時接続数（サーバー1台あたり）",
        "connections at once to PostgreSQL, for each server",
    ),
    secret(
        "CRM_SECRET_KEY",
        "32バイト以上の秘密の文字列。なければデータフォルダーに作る",
        "secret text of at least 32 bytes; made in the data folder when not given",
    ),
    secret(
        "CRM_SECRET_KEY_PREVIOUS",
        "以前の CRM_SECRET_KEY（カンマ区切り）",
        "earlier values of CRM_SECRET_KEY, separated by commas",
    ),
    plain(
        "CRM_SPOOL_DIR",
        "<CRM_DATA_DIR>/spool",
        "データベースに書けないときにコールバックを待たせるフォルダー",
        "where callbacks wait when the database cannot be written",
    ),
    plain(
        "CRM_BACKUP_DIR",
        "<CRM_DATA_DIR>/backups",
        "バックアップの置き場所",
        "where backups go",
    ),
    plain(
        "CRM_BACKUP_AT",
        "03:00",
        "毎日バックアップを作る時刻（CRM_TIMEZONE の時刻）",
        "when the daily backup is taken, in CRM_TIMEZONE",
    ),
    plain(
        "CRM_BACKUP_KEEP",
        "7",
        "残しておくバックアップの数（0で自動作成しない）",
        "how many daily backups are kept; 0 takes none by itself",
    ),
    secret(
        "CRM_BACKUP_PASSPHRASE",
        "バックアップを暗号化する合言葉（12文字以上）。なければ暗号化しない",
        "passphrase of at least 12 characters that encrypts backups; without one they are not encrypted",
    ),
    plain(
        "CRM_FILES_QUOTA",
        "10",
        "受信したファイルをためる上限（GiB）。達すると新しいファイルは取得しない",
        "GiB that received files may take together; beyond it no new ones are fetched",
    ),
    plain(
        "CRM_TIMEZONE",
        "Asia/Tokyo",
        "表示と日付の区切りに使うタイムゾーン（保存はUTC）",
        "time zone of what is shown; storage is UTC",
    ),
    plain(
        "CRM_LOCALE",
        "ja",
        "既定の言語（ja または en）",
        "default language, ja or en",
    ),
    plain(
        "CRM_FIRM_NAME",
        "",
        "画面の上端に製品名と並べて表示する自社の名前",
        "the firm's own name, shown beside the product's",
    ),
    plain(
        "CRM_API_RATE_LIMIT",
        "6000",
        "トークンごとの1分あたりのリクエスト数（0で無制限）",
        "requests a minute per token, 0 for no limit",
    ),
    plain(
        "CRM_METRICS_ALLOWED_IPS",
        "127.0.0.0/8,::1/128",
        "トークンなしで /metrics を読めるアドレスの範囲",
        "who may read /metrics without a token",
    ),
    plain(
        "CRM_LOG",
        "info",
        "ログのレベル（error, warning, info, debug、または webhook=debug,info）",
        "log level, or a list like webhook=debug,info",
    ),
    plain(
        "CRM_LOG_FILE",
        "",
        "ログのファイル（例: app.log）。1日ごとに切り替わる",
        "log file such as app.log, rotated daily",
    ),
    plain(
        "CRM_LOG_FORMAT",
        "text",
        "ログの形（text または json）",
        "shape of the log, text or json",
    ),
    plain(
        "CRM_OTLP_URL",
        "",
        "トレースの送り先（OTLP/HTTPを受け付けるコレクターのURL、例: http://collector:4318）。なければ送らない",
        "where traces go: a collector that takes OTLP over HTTP, such as http://collector:4318; none are sent without it",
    ),
    plain(
        "LINE_WORKS_BOT_ID",
        "",
        "Bot ID（Developer Console > Bot）",
        "Bot ID (Developer Console > Bot)",
    ),
    secret(
        "LINE_WORKS_BOT_SECRET",
        "Bot Secret（Developer Console > Bot > 対象のBot）。再発行の前後は「新しい値,古い値」とカンマ区切りで両方書ける",
        "Bot Secret (Developer Console > Bot > your bot); during a change-over both, new,old",
    ),
    plain(
        "LINE_WORKS_CLIENT_ID",
        "",
        "Client ID（Developer Console > API 2.0 > アプリ）",
        "Client ID (Developer Console > API 2.0 > your app)",
    ),
    secret(
        "LINE_WORKS_CLIENT_SECRET",
        "Client Secret（同上）",
        "Client Secret (same page)",
    ),
    plain(
        "LINE_WORKS_SERVICE_ACCOUNT",
        "",
        "Service Account（同上）",
        "Service Account (same page)",
    ),
    plain(
        "LINE_WORKS_DOMAIN_ID",
        "",
        "Domain ID（Developer Consoleの左下）",
        "Domain ID (lower left in the Developer Console)",
    ),
    secret(
        "LINE_WORKS_PRIVATE_KEY",
        "秘密鍵のPEMそのもの（改行は \\n でもよい）",
        "the private key's PEM itself, \\n for line breaks accepted",
    ),
    secret(
        "LINE_WORKS_PRIVATE_KEY_BASE64",
        "秘密鍵のPEMをBase64にしたもの",
        "the private key's PEM in base64",
    ),
    file(
        "LINE_WORKS_PRIVATE_KEY_FILE",
        "private.key",
        "秘密鍵のファイル",
        "file of the private key",
    ),
    plain("LINE_WORKS_SCOPE", "bot", "OAuthスコープ", "OAuth scope"),
    plain(
        "LINE_WORKS_TOKEN_URL",
        "https://auth.worksmobile.com/oauth2/v2.0/token",
        "トークンのURL",
        "where tokens are had",
    ),
    plain(
        "LINE_WORKS_API_URL",
        "https://www.worksapis.com/v1.0",
        "APIのURL",
        "the API",
    ),
    plain(
        "LINE_WORKS_RATE_LIMIT",
        "",
        "契約プランの1分あたりの送信数",
        "sends a minute that the plan allows",
    ),
    plain(
        "LINE_WORKS_TIMEOUT",
        "30",
        "1通の送信にかける秒数の上限",
        "seconds that sending one message may take",
    ),
    plain(
        "LINE_WORKS_ALLOWED_IPS",
        "",
        "コールバックを受け付けるアドレスの範囲（CIDR、カンマ区切り）",
        "addresses from which callbacks are taken (CIDR list)",
    ),
    plain(
        "LINE_WORKS_UNKNOWN_SENDER",
        "inbox",
        "顧客でない人のメッセージの扱い（inbox または register）",
        "what to do with messages of others than customers: inbox or register",
    ),
    plain(
        "LINE_WORKS_ALLOW_UNSIGNED",
        "false",
        "署名のないコールバックを受け付ける（試験環境だけ）",
        "accept callbacks without signature (trials only)",
    ),
];

/// The setting of this name.
pub fn find(name: &str) -> Option<&'static Known> {
    ALL.iter().find(|known| known.name == name)
}

/// Whether a name has one of our prefixes.
pub(super) fn is_ours(name: &str) -> bool {
    name.starts_with("CRM_") || name.starts_with("LINE_WORKS_")
}
