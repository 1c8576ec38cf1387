//! People of the demonstration's LINE WORKS who are no customers yet.

use crate::user_id;

/// A member of LINE WORKS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleMember {
    /// The LINE WORKS user id.
    pub user_id: String,
    /// The login id.
    pub login_id: String,
    /// 姓 and 名.
    pub name: (&'static str, &'static str),
    /// セイ and メイ.
    pub kana: (&'static str, &'static str),
}

type Words = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const PEOPLE: [Words; 8] = [
    ("相沢", "美咲", "アイザワ", "ミサキ", "misaki.aizawa"),
    ("髙橋", "健一", "タカハシ", "ケンイチ", "kenichi.takahashi"),
    ("𠮷田", "さくら", "ヨシダ", "サクラ", "sakura.yoshida"),
    ("大久保", "直樹", "オオクボ", "ナオキ", "naoki.okubo"),
    ("神﨑", "由美子", "カンザキ", "ユミコ", "yumiko.kanzaki"),
    ("清水", "拓也", "シミズ", "タクヤ", "takuya.shimizu"),
    ("三浦", "恵", "ミウラ", "メグミ", "megumi.miura"),
    ("グエン", "ティ ラン", "グエン", "ティ ラン", "lan.nguyen"),
];

/// The first number of their user ids: behind those of the customers.
const FIRST: u64 = 900;

/// The members who are no customers yet, the same every time.
pub fn sample_members() -> Vec<SampleMember> {
    (FIRST..)
        .zip(PEOPLE)
        .map(
            |(number, (last, first, last_kana, first_kana, login))| SampleMember {
                user_id: user_id(number),
                login_id: format!("{login}@demo"),
                name: (last, first),
                kana: (last_kana, first_kana),
            },
        )
        .collect()
}
