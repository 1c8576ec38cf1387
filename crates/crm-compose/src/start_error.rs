//! Why the program could not be put together, in the reader's words.

use std::path::PathBuf;

use crm_domain::members::Locale;
use crm_domain::ports::host::PasswordError;
use crm_domain::ports::store::StoreError;
use crm_domain::ports::vault::VaultError;
use crm_host::LockError;
use crm_host::SecretKey;
use crm_host::secret_key::KeyError;
use crm_lineworks::ConfigError;

use crate::backups::BackupProblem;
use crate::server_trouble;
use crate::settings::{Database, SettingsError};

/// The version of this program.
const OURS: &str = env!("CARGO_PKG_VERSION");

/// What stopped the start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be made or used.
    #[error("the folder {} cannot be used: {source}", .dir.display())]
    Folder {
        /// Which.
        dir: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// There is no usable key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The file of the key is gone that the database goes by.
    #[error("the key file {} is missing", .0.display())]
    KeyLost(PathBuf),
    /// The database goes by another key.
    #[error("the database goes by another secret key")]
    OtherKey,
    /// The data keys cannot be used.
    #[error(transparent)]
    Vault(VaultError),
    /// Another process works on the store.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A restore was begun here and not finished.
    #[error("a restore into {} was begun and not finished", .0.display())]
    Restoring(PathBuf),
    /// What belongs to a database file lies there without it; a new file would throw it away.
    #[error("{} lies there without its database {}", .left.display(), .file.display())]
    Leftover {
        /// The file that is not there.
        file: PathBuf,
        /// What is.
        left: PathBuf,
    },
    /// The database cannot be opened or migrated.
    #[error("the database {database} cannot be used: {source}")]
    Store {
        /// Which.
        database: Database,
        /// Why.
        source: StoreError,
    },
    /// A server or a command works on the database server's store.
    #[error("the database {0} is in use")]
    InUse(Database),
    /// A newer program took something from the database that this one needs.
    #[error("the database {database} needs a newer program ({product})")]
    NewerDatabase {
        /// Which.
        database: Database,
        /// The version of the program that brought it there.
        product: String,
    },
    /// A migration failed, or the look at what it would do.
    #[error("the database {database} was not brought up to date: {source}")]
    Migration {
        /// Which.
        database: Database,
        /// The copy taken before.
        copy: Option<PathBuf>,
        /// Why.
        source: StoreError,
    },
    /// The copy before the migrations could not be taken.
    #[error("the copy {} could not be written: {source}", .file.display())]
    CopyBefore {
        /// Where to.
        file: PathBuf,
        /// Why.
        source: Box<BackupProblem>,
    },
    /// The running server has another version of the database than this program.
    #[error("{0} migration(s) are missing and the server is running")]
    OtherVersion(usize),
    /// The database was never made.
    #[error("there is no database {0}")]
    NoDatabase(Database),
    /// The settings of LINE WORKS make no sense together.
    #[error("LINE WORKS: {0}")]
    LineWorks(#[from] ConfigError),
    /// What the environment sets and what was set up in the pages make no connection together.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The machine cannot hash passwords.
    #[error(transparent)]
    Passwords(#[from] PasswordError),
    /// The simulator of the demonstration did not start.
    #[error("the LINE WORKS simulator did not start: {0}")]
    Simulator(String),
    /// The samples of the demonstration could not be written.
    #[error("the sample data could not be written: {0}")]
    Samples(String),
}

impl StartError {
    /// Stable name for the command line.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Folder { .. } => "folder",
            Self::Key(_) => "secret_key",
            Self::KeyLost(_) => "secret_key_lost",
            Self::OtherKey => "other_secret_key",
            Self::Vault(error) => error.code(),
            Self::Lock(LockError::Held { .. }) | Self::InUse(_) => "server_runs",
            Self::Lock(LockError::File { .. }) => "lock_file",
            Self::Restoring(_) => "restore_unfinished",
            Self::Leftover { .. } => "database_missing",
            Self::Store { .. } => "store_unavailable",
            Self::NewerDatabase { .. } => "newer_database",
            Self::Migration { .. } => "migration_failed",
            Self::CopyBefore { .. } => "copy_failed",
            Self::OtherVersion(_) => "other_version",
            Self::NoDatabase(_) => "no_database",
            Self::LineWorks(_) => "line_works_settings",
            Self::Settings(_) => "settings",
            Self::Passwords(_) => "passwords",
            Self::Simulator(_) => "simulator",
            Self::Samples(_) => "samples",
        }
    }

    /// What happened, why, what to do.
    pub fn sentence(&self, locale: Locale) -> String {
        match locale {
            Locale::Ja => self.ja(),
            Locale::En => self.en(),
        }
    }

    fn ja(&self) -> String {
        match self {
            Self::Folder { dir, source } => format!(
                "フォルダー {} を使えません（{source}）。CRM_DATA_DIR、CRM_DATABASE_URL の場所と権限を確かめてください。",
                dir.display()
            ),
            Self::Key(error) => format!("秘密鍵（CRM_SECRET_KEY）を使えません: {}。", key_ja(error)),
            Self::KeyLost(file) => format!(
                "秘密鍵のファイル {} がありません。このデータベースには、その鍵でしか開けないもの（2段階認証、LINE WORKSの接続設定、受信したファイル）があるため、新しい鍵は作りません。控えからファイルを戻すか、その中身を CRM_SECRET_KEY に設定してください。",
                file.display()
            ),
            Self::OtherKey => "秘密鍵（CRM_SECRET_KEY）が、このデータベースの鍵と違います。何も変更していません。元の鍵に戻してください。鍵を替えるときは、元の鍵を CRM_SECRET_KEY_PREVIOUS に並べてください。".to_owned(),
            Self::Vault(error) => format!("暗号化の鍵を使えません（{error}）。crm doctor で確かめてください。"),
            Self::Lock(LockError::Held { pid, .. }) => format!(
                "このデータベースはサーバー（crm-web{}）が使用中です。先にサーバーを止めてください。",
                pid.map(|pid| format!("、プロセス{pid}")).unwrap_or_default()
            ),
            Self::Lock(error) => format!("{error}。データベースのフォルダーの権限を確かめてください。"),
            Self::Restoring(dir) => format!(
                "復元が途中で止まっています。もう一度 crm restore を実行すると、はじめからやり直します。復元をやめるときは、フォルダー {} を消してください。",
                dir.display()
            ),
            Self::Leftover { file, left } => format!(
                "データベース {} がないのに、その一部 {} が残っています。まだ {} に書かれていないメッセージが入っていることがあるため、新しいデータベースは作りません。{} を元の場所に戻してください。新しく始めるときは、残っているファイルを別の場所へ移してください。",
                file.display(),
                left.display(),
                file.display(),
                file.display()
            ),
            Self::InUse(database) => format!(
                "データベース {database} は、サーバー（crm-web）または他の crm コマンドが使用中です。終わってからやり直してください。"
            ),
            Self::Store { database: Database::File(file), source } => format!(
                "データベース {} を使えません（{}）。場所、権限、ディスクの空きを確かめてください。",
                file.display(),
                reasons(source)
            ),
            Self::Store { database, source } => format!(
                "データベース {database} を使えません（CRM_DATABASE_URL）。{}。",
                server_trouble::ja(source)
            ),
            Self::NewerDatabase { database, product } => format!(
                "データベース {database} は新しい版（{product}）で更新されており、この版（{OURS}）では使えません。何も変更していません。{product} 以降のプログラムを使ってください。この版に戻すには、更新前のバックアップを crm restore で戻します。"
            ),
            Self::Migration { database, copy, source } => format!(
                "データベース {database} を更新できませんでした（{}）。データベースは元のままです{}。以前の版のプログラムならそのまま使えます。原因を直してから起動し直してください。",
                server_trouble::ja(source),
                copy.as_ref().map(|file| format!("（念のためのコピー: {}）", file.display())).unwrap_or_default()
            ),
            Self::CopyBefore { file, source } => format!(
                "更新の前のコピー {} を作れなかったため、更新していません（{}）。CRM_BACKUP_DIR の場所、権限、空きを確かめてください。",
                file.display(),
                reasons(source.as_ref())
            ),
            Self::OtherVersion(count) => format!(
                "データベースに{count}件の更新が必要ですが、サーバーが動いています。サーバーを新しい版で起動し直してください。"
            ),
            Self::NoDatabase(database) => format!(
                "データベース {database} がありません。CRM_DATA_DIR を確かめるか、crm migrate で作成してください。"
            ),
            Self::LineWorks(error) => format!("LINE WORKSの設定に誤りがあります: {error}"),
            Self::Settings(error) => error.to_string(),
            Self::Passwords(_) => {
                "パスワードの準備ができません。メモリーの空きを確かめてください。".to_owned()
            }
            Self::Simulator(error) => format!("LINE WORKSシミュレーターを開始できません: {error}"),
            Self::Samples(error) => format!("サンプルデータを書き込めません: {error}"),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::Folder { .. } => format!("{self}. Check CRM_DATA_DIR, the place in CRM_DATABASE_URL and the permissions."),
            Self::Key(error) => format!("CRM_SECRET_KEY cannot be used: {error}."),
            Self::KeyLost(file) => format!(
                "The key file {} is missing. The database holds what only that key opens (second factors, the connection to LINE WORKS, received files), so no new key is made. Put the file back from its copy, or set CRM_SECRET_KEY to what it held.",
                file.display()
            ),
            Self::OtherKey => "CRM_SECRET_KEY is not the key of this database. Nothing was changed. Set the former key again; to change keys, list the former one in CRM_SECRET_KEY_PREVIOUS.".to_owned(),
            Self::Vault(error) => format!("The encryption keys cannot be used ({error}). Check with crm doctor."),
            Self::Lock(LockError::Held { pid, .. }) => format!(
                "The server (crm-web{}) is working on this database. Stop it first.",
                pid.map(|pid| format!(", process {pid}")).unwrap_or_default()
            ),
            Self::Lock(error) => format!("{error}. Check the permissions of the database's folder."),
            Self::Restoring(dir) => format!(
                "A restore was begun here and not finished. Run crm restore again: it begins anew. To give it up, delete the folder {}.",
                dir.display()
            ),
            Self::Leftover { file, left } => format!(
                "The database {} is missing, but a part of it is there: {}. It may hold messages that were not yet in the file, so no new database is made. Put the file back where it was; to begin anew, move what is left elsewhere.",
                file.display(),
                left.display()
            ),
            Self::InUse(database) => format!(
                "A server (crm-web) or another crm command is working on the database {database}. Try again when it has ended."
            ),
            Self::Store { database: Database::File(file), source } => format!(
                "The database {} cannot be used ({}). Check place, permissions and disk space.",
                file.display(),
                reasons(source)
            ),
            Self::Store { database, source } => format!(
                "The database {database} (CRM_DATABASE_URL) cannot be used: {}.",
                reasons(source)
            ),
            Self::NewerDatabase { database, product } => format!(
                "The database {database} was brought up to date by version {product}; this version ({OURS}) cannot work on it. Nothing was changed. Use {product} or newer. To go back to this version, restore the copy from before the update with crm restore."
            ),
            Self::Migration { database, copy, source } => format!(
                "The database {database} could not be brought up to date ({}). It is as it was{}, and the former version can go on with it. Mend the cause and start again.",
                reasons(source),
                copy.as_ref().map(|file| format!(" (a copy: {})", file.display())).unwrap_or_default()
            ),
            Self::CopyBefore { file, source } => format!(
                "The copy {} before the update could not be written, so nothing was updated ({}). Check place, permissions and free space of CRM_BACKUP_DIR.",
                file.display(),
                reasons(source.as_ref())
            ),
            Self::OtherVersion(count) => format!(
                "The database needs {count} update(s) while the server is running. Restart the server with the new version."
            ),
            Self::NoDatabase(database) => format!(
                "There is no database {database}. Check CRM_DATA_DIR, or make it with crm migrate."
            ),
            Self::LineWorks(error) => format!("The settings of LINE WORKS are wrong: {error}"),
            Self::Settings(error) => error.to_string(),
            Self::Passwords(_) => "Passwords cannot be hashed. Check the free memory.".to_owned(),
            Self::Simulator(_) | Self::Samples(_) => format!("{self}."),
        }
    }
}

fn key_ja(error: &KeyError) -> String {
    match error {
        KeyError::TooShort => format!(
            "短すぎます。{}バイト以上の推測できない文字列にしてください",
            SecretKey::MIN_BYTES
        ),
        KeyError::Mistyped(line) => {
            format!(
                "復旧シートの{line}行目と一致しません。その行を見直してください（[ ] は行の確認用の4文字です）"
            )
        }
        KeyError::File(file, source) => format!("ファイル {file} を読み書きできません（{source}）"),
    }
}

/// An error and what caused it.
pub(crate) fn reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    text
}
