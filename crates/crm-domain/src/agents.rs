//! What browsers call themselves, in short words.

/// The first that a text contains wins, so what others call themselves too stands at the end.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
];
const SYSTEMS: [(&str, &str); 7] = [
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// Browser and system, as `Chrome · Windows`; `None` if neither is known.
pub fn browser_of(agent: &str) -> Option<String> {
    let find = |table: &[(&str, &'static str)]| {
        let mut rows = table.iter();
        rows.find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => Some(format!("{browser} · {system}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::browser_of;

    #[test]
    fn browsers_are_told_apart() {
        let mozilla = |rest: &str| browser_of(&format!("Mozilla/5.0 ({rest}"));
        for (agent, name) in [
            (
                "Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36 Edg/141.0",
                "Edge · Windows",
            ),
            (
                "Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36",
                "Chrome · Windows",
            ),
            (
                "iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
                "Safari · iPhone",
            ),
            (
                "Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
                "Safari · macOS",
            ),
            (
                "Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Mobile Safari/537.36",
                "Chrome · Android",
            ),
            (
                "X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
                "Firefox · Linux",
            ),
        ] {
            assert_eq!(mozilla(agent).as_deref(), Some(name));
        }
        assert_eq!(browser_of("curl/8.0"), None);
        assert_eq!(browser_of("SomethingElse (Windows)").as_deref(), Some("Windows"));
    }
}
