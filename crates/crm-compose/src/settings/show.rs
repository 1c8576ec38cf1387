//! Settings for people: the values in force, and an example file.

use std::fmt::Write as _;

use crm_domain::members::Locale;

use super::Settings;
use super::known::{self, Known};
use super::reader::Used;
use super::source::Origin;

/// A setting as shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its name.
    pub name: &'static str,
    /// Its value; `***` for secrets, empty where there is none.
    pub value: String,
    /// Where the value comes from.
    pub origin: Origin,
}

pub(super) fn shown(settings: &Settings, used: &Used) -> Vec<Shown> {
    known::ALL
        .iter()
        .map(|known| match used.get(known.name) {
            Some((_, origin)) if known.secret => Shown {
                name: known.name,
                value: "***".to_owned(),
                origin: origin.clone(),
            },
            Some((value, origin)) => Shown {
                name: known.name,
                value: value.clone(),
                origin: origin.clone(),
            },
            None => Shown {
                name: known.name,
                value: default_of(known, settings),
                origin: Origin::Default,
            },
        })
        .collect()
}

fn default_of(known: &Known, settings: &Settings) -> String {
    let dir = settings.data.dir.display().to_string();
    known.default.replace("<CRM_DATA_DIR>", &dir)
}

/// A `.env` file with every setting explained and commented out.
pub fn example(locale: Locale) -> String {
    let mut text = match locale {
        Locale::Ja => "# 顧客管理システムの設定。行頭の # を消すと有効になります。\n# X_FILE=パス と書くと、X の値をファイルから読みます（CRM_LOG_FILE は別で、ログの書き込み先です）。\n",
        Locale::En => "# Settings of the CRM. Remove the # at the beginning of a line to use it.\n# X_FILE=path reads the value of X from a file (but not CRM_LOG_FILE: the log goes there).\n",
    }
    .to_owned();
    for known in known::ALL {
        let meaning = match locale {
            Locale::Ja => known.ja,
            Locale::En => known.en,
        };
        let default = known.default.replace("<CRM_DATA_DIR>", "data");
        // Writing to a String cannot fail.
        let _ = write!(text, "\n# {meaning}\n#{}={default}\n", known.name);
    }
    text
}
