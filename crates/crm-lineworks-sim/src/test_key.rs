//! TEST-ONLY: the one RSA key pair that the simulator ships.
//!
//! It is public on purpose and protects nothing: LINE WORKS does not know it, and the simulator that trusts it
//! runs in tests, in the demo and on developers' machines. Never register it anywhere.

/// The body of the test key (PKCS#8, base64), in lines; the armour is added when it is read.
const SIMULATOR_TEST_ONLY_KEY: &[&str] = &[
    "MIIEvwIBADANBgkqhkiG9w0BAQEFAASCBKkwggSlAgEAAoIBAQCixglroWTsZOO3",
    "+L207BULU8f1T59QdbKiIXPXWqxQkZufkndiI4J+jKpGMGIEi3EUztdxtAdwMGbx",
    "pbiovGnjTEe2WRnRHmoZxgMKwO512agqkfxbGzn0Prab5ei1efUMkCfS+rJPyfL8",
    "hCo4lT+lYC4luGZPGX0FLQlCpIaGOlsep4kKK/XXPBQVIHl29IyurzA+jy2tylxB",
    "xFOgMyhPDh2YoqFdqfCpyD8MvBq99sDhANw/iMTACzYpJOcP+fdCuDpoMEPUJHsq",
    "jiI1+5p/4zWw1PqUztom9IoO5lb+X68Si8Kj/80AjSS+l0seSK5fBnfFkTRC5iDX",
    "7/iJhoBxAgMBAAECggEACz3mriiMJhh0ssLK5VktveXIKFzaqa2rS+/IBp5USs83",
    "oo500NIXg+J2qxjR2DMCORftAMUYg2rQXU2fAoZawNBGnqUqN4tkdAm9MYuwHHMP",
    "HnuNJIStnL0NExjOmOQGpNq66WMXmBOgRMji+pvyNJt/LGs/I6TkwcwBuPjQcqou",
    "V2DKqK+RsPs7LjUBLBmPxIEEJ4UyZoVJfova4qLhCg5t/wp+0nTuMtAvGjz8lNVS",
    "gJBefM7Hu34JfygajuWDX5zY+9Fqvty/D2SZC15VKuO2U/LKnKEw2tlmSIDEHw/n",
    "uDYG51g+8W47VR7isHdtSSR47gbljR3va/lygqD4HQKBgQDa5WkQ+wif1mnY+IeS",
    "mPTbMk2X7Cz5i3ljsu/H0jrKC5PZg66CklIlwYXuYbr1Rn86FmH9w8reJfNeHlZs",
    "u8zq3svlenodCLa6+jH+S1ymSThi2pI+JoA2oJBsXAuUzzwP2xW8DneYa03lNZ1q",
    "tMsT08tF3/oZFm1UtSCGchVlvQKBgQC+XUr3ZyUf35jilhbvp/xkYM6MAQguLtyd",
    "OYFk6BmAeKUQX93NJ3aUhrOURkSWx1HIYMcbnRUR7MDCBAOIOmjJpMUILs1oZsEU",
    "o0AiDUxrEuLq80TIbQR6CWVA+5nHhkfnGLURfjxF2g4nfeDRThhraYWJnqzVojp3",
    "nRzDPDhuxQKBgQDGScCGYFDsscdKg8AT3TkZgxTlBU2sdFrvJH2vLlKRCjHRfUbN",
    "Aw0lJIxVZ/R7EXRYw0PbI8yWthwiayrw7qJvNInRg8Qwnt8gu1okOFJiU7ufWM3X",
    "PPsyAPszHaJkF+IZnuWuaBCQYsu6UXoa2lGH0Xi3AHDG3xkE/drLz3ZwpQKBgQCr",
    "Wm7QpBfWyP5ld5TNxPh7omhJveQPLj+HhuviWMobyn1KcADHWm5y441iOp4i2ufS",
    "5spTIOKGcAZSnipPxcPtPlPdOcPL5jKG0Sw5ep7/AtEfjDqt7vPIpgxuoguaflTa",
    "wHK8fFTky5NSGQz1WsbAaQu7BQmug4j9gn8RfnONwQKBgQCVqRFyRk1YGQpv0Wu2",
    "3Sa0wsMV5pV3n2WdqcTYT6tN15yOtULqES3BbqkBoJ+sdB7PIfr2A5wtFTK9cXiu",
    "zmrS16NCkGWFT91t1aXiTpd4AULUfhMQRTDJXbnaARSseSA5BpP2SQfo6rN8+f8v",
    "Nk9rZjehZdw/QV6oXEROtVPMxQ==",
];

/// The private key in PEM (PKCS#8) whose public half [`SimulatorConfig::default`](crate::SimulatorConfig) trusts.
///
/// A test key: it is in the source of the simulator for everybody to read.
pub fn test_private_key_pem() -> String {
    let kind = "PRIVATE KEY";
    let mut pem = format!("-----BEGIN {kind}-----\n");
    for line in SIMULATOR_TEST_ONLY_KEY {
        pem.push_str(line);
        pem.push('\n');
    }
    pem + &format!("-----END {kind}-----\n")
}
