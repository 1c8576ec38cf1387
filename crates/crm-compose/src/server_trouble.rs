//! Why a database server cannot be used, in Japanese; in English the error says it itself.

use crm_domain::ports::store::StoreError;
use crm_postgres::PostgresError;

use crate::start_error::reasons;

/// Why it failed and what to do; of other errors what they say.
pub(crate) fn ja(error: &StoreError) -> String {
    let StoreError::Unavailable(source) = error else {
        return reasons(error);
    };
    let known = source.downcast_ref::<PostgresError>();
    known.map_or_else(|| reasons(error), cause)
}

fn cause(error: &PostgresError) -> String {
    match error {
        PostgresError::Unreachable { at, reason } => {
            format!("{at} のPostgreSQLに接続できません: {reason}。動いているか、アドレスを確かめてください")
        }
        PostgresError::Refused { at, reason } => {
            format!("{at} のPostgreSQLを使えません: {reason}。アドレスとsslmodeを確かめてください")
        }
        PostgresError::NotAllowed { at, user, reason } => {
            format!("{at} のPostgreSQLにユーザー {user} で接続できません: {reason}。ユーザー名とパスワードを確かめてください")
        }
        PostgresError::NoDatabase { name, hint, .. } => {
            format!("データベース {name} がありません。作成してください: {hint}")
        }
        PostgresError::TooMany { at, reason } => format!(
            "{at} のPostgreSQLがこれ以上の接続を受け付けません: {reason}。CRM_DATABASE_CONNECTIONS を小さくするか、max_connections を大きくしてください"
        ),
        PostgresError::Forbidden(reason) => {
            format!("PostgreSQLの権限が足りません: {reason}。権限を与えるか、ユーザーをデータベースの所有者にしてください")
        }
        PostgresError::DiskFull(reason) => {
            format!("PostgreSQLのディスクがいっぱいです: {reason}。空きを作ってから、もう一度実行してください")
        }
        PostgresError::Unfinished(_) => {
            "コピーか復元が途中で止まったままです。同じ crm db copy または crm restore をもう一度実行して、最後まで終えてください".to_owned()
        }
        PostgresError::Crowded { name, reason } => format!(
            "更新 {name} が使うテーブルを、ほかのプログラムが使い続けていました: {reason}。このデータベースの長い処理やほかのプログラムを終えてから、起動し直してください"
        ),
        PostgresError::Silent(seconds) => format!("{seconds}秒待ちましたが応答がありません"),
        PostgresError::Roots { path, reason } => {
            format!("証明書 {} を読めません: {reason}。sslrootcert にはPEMファイルを指定してください", path.display())
        }
        other => reasons(other),
    }
}
