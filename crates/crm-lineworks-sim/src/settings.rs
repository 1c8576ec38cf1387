//! The settings of a CRM that is to use the simulator.

use crate::keys::VerifyingKey;
use crate::state::Shared;

pub(crate) fn settings(shared: &Shared) -> Vec<(&'static str, String)> {
    let config = &shared.config;
    let mut list = vec![
        ("LINE_WORKS_BOT_ID", config.bot_id.clone()),
        ("LINE_WORKS_BOT_SECRET", config.bot_secret.clone()),
        ("LINE_WORKS_CLIENT_ID", config.client_id.clone()),
        ("LINE_WORKS_CLIENT_SECRET", config.client_secret.clone()),
        ("LINE_WORKS_SERVICE_ACCOUNT", config.service_account.clone()),
        ("LINE_WORKS_DOMAIN_ID", config.domain_id.to_string()),
        (
            "LINE_WORKS_TOKEN_URL",
            format!("{}/oauth2/v2.0/token", shared.origin()),
        ),
        ("LINE_WORKS_API_URL", format!("{}/v1.0", shared.origin())),
    ];
    let test_key = crate::test_private_key_pem();
    if VerifyingKey::from_pem(&test_key).is_ok_and(|key| key == shared.key) {
        list.push(("LINE_WORKS_PRIVATE_KEY", test_key.trim_end().replace('\n', "\\n")));
    }
    list
}
