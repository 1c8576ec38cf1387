//! The companies of the demonstration.

use crm_domain::companies::CompanyDetails;
use crm_domain::values::{CompanyName, CompanyReading, Line, PhoneNumber, Problem, Remarks, Website};

/// Name, reading, address, website.
const COMPANIES: [(&str, &str, &str, &str); 20] = [
    (
        "株式会社青空商事",
        "アオゾラショウジ",
        "東京都千代田区例町1-2-3 青空ビル4階",
        "https://aozora.example",
    ),
    (
        "朝日山製作所",
        "アサヒヤマセイサクショ",
        "愛知県豊田市見本町10-1",
        "https://asahiyama.example",
    ),
    (
        "石橋電機工業株式会社",
        "イシバシデンキコウギョウ",
        "大阪府大阪市北区例町5-6-7",
        "https://ishibashi.example",
    ),
    (
        "梅の木クリニック",
        "ウメノキクリニック",
        "福岡県福岡市中央区見本2-4-6",
        "",
    ),
    (
        "株式会社エムズフーズ",
        "エムズフーズ",
        "神奈川県横浜市西区例町3-1-1",
        "https://msfoods.example",
    ),
    (
        "大川建設株式会社",
        "オオカワケンセツ",
        "宮城県仙台市青葉区見本町8-2",
        "https://okawa.example",
    ),
    (
        "カメリア化粧品株式会社",
        "カメリアケショウヒン",
        "東京都港区例坂7-7-7",
        "https://camellia.example",
    ),
    (
        "北斗物流株式会社",
        "ホクトブツリュウ",
        "北海道札幌市中央区例条西2丁目",
        "https://hokuto.example",
    ),
    (
        "株式会社クロスリンク",
        "クロスリンク",
        "東京都渋谷区見本1-1-1",
        "https://crosslink.example",
    ),
    ("小鳥遊印刷", "タカナシインサツ", "京都府京都市中京区例町12", ""),
    (
        "桜井税理士事務所",
        "サクライゼイリシジムショ",
        "埼玉県さいたま市大宮区見本町3-3",
        "",
    ),
    (
        "株式会社さざなみ旅行",
        "サザナミリョコウ",
        "沖縄県那覇市例町2-5",
        "https://sazanami.example",
    ),
    (
        "信濃精密株式会社",
        "シナノセイミツ",
        "長野県諏訪市見本4-4-4",
        "https://shinano.example",
    ),
    (
        "株式会社ソラシステムズ",
        "ソラシステムズ",
        "東京都品川区例町9-8-7",
        "https://sora-systems.example",
    ),
    (
        "たちばな不動産",
        "タチバナフドウサン",
        "広島県広島市中区見本町6-1",
        "https://tachibana.example",
    ),
    (
        "東雲テキスタイル株式会社",
        "シノノメテキスタイル",
        "愛媛県今治市例町15-2",
        "",
    ),
    (
        "有限会社なかよし青果",
        "ナカヨシセイカ",
        "千葉県柏市見本5-5-5",
        "",
    ),
    (
        "ひまわり介護サービス株式会社",
        "ヒマワリカイゴサービス",
        "静岡県浜松市中央区例町1-9",
        "https://himawari.example",
    ),
    (
        "富士見自動車販売株式会社",
        "フジミジドウシャハンバイ",
        "山梨県甲府市見本町20-3",
        "https://fujimi.example",
    ),
    (
        "株式会社みなと水産",
        "ミナトスイサン",
        "静岡県焼津市例港2-2",
        "https://minato.example",
    ),
];

/// All of them.
pub(crate) fn all() -> Result<Vec<CompanyDetails>, Problem> {
    COMPANIES
        .iter()
        .enumerate()
        .map(|(number, (name, reading, address, website))| {
            Ok(CompanyDetails {
                name: CompanyName::new(name)?,
                name_kana: CompanyReading::new(reading)?,
                address: Line::new(address)?,
                phone: PhoneNumber::new(&format!("03-0000-{:04}", 1000 + number))?,
                website: Website::new(website)?,
                remarks: Remarks::default(),
            })
        })
        .collect()
}
