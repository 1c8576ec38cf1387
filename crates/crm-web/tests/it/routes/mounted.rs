//! The routes that the program mounts, read from its sources and from the API's own document.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// `METHOD /path` of every route.
pub(super) fn routes() -> BTreeSet<String> {
    let sources = sources();
    let constants = constants(&sources);
    let mut routes = BTreeSet::new();
    let mut nests = 0;
    for text in sources.values() {
        nests += text.matches(".nest(").count();
        assert!(!text.contains(".at_no_strip(") && !text.contains(".nest_no_strip("));
        for mount in text.split(".at(").skip(1) {
            let (path, methods) = read(mount, &constants);
            assert!(!methods.is_empty(), "no method can be read for {path}");
            routes.extend(methods.iter().map(|method| format!("{method} {path}")));
        }
    }
    assert_eq!(nests, 1, "only the API is mounted below a path");
    routes.extend(api());
    routes
}

/// The operations of the API.
fn api() -> Vec<String> {
    let document = crm_web::api::document();
    let paths = document["paths"].as_object().expect("paths");
    let mut found = Vec::new();
    for (path, operations) in paths {
        let path = path.replace('{', ":").replace('}', "");
        let path = format!(
            "{}{}",
            crm_web::api::BASE,
            path.trim_start_matches(crm_web::api::BASE)
        );
        for method in operations.as_object().expect("operations").keys() {
            found.push(format!("{} {path}", method.to_uppercase()));
        }
    }
    found
}

/// The program's sources without their tests, by file.
fn sources() -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 50);
    found
}

fn collect(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            found.insert(path, text);
        }
    }
}

/// The texts of all constants; two of one name must not mean different paths.
fn constants(sources: &BTreeMap<PathBuf, String>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in sources.values().flat_map(|text| text.lines()) {
        let Some((before, value)) = line.split_once(": &str = \"") else {
            continue;
        };
        let (Some(name), Some((value, _))) = (before.split_whitespace().last(), value.split_once('"')) else {
            continue;
        };
        if value.starts_with('/') {
            let before = found.insert(name.to_owned(), value.to_owned());
            assert!(
                before.is_none_or(|before| before == value),
                "{name} means two paths"
            );
        }
    }
    found
}

/// The path and the methods of what stands behind `.at(`.
fn read(mount: &str, constants: &BTreeMap<String, String>) -> (String, Vec<String>) {
    let mut depth = 1;
    let end = mount.char_indices().find_map(|(place, letter)| {
        depth += match letter {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        (depth == 0).then_some(place)
    });
    let inside = &mount[..end.expect("a closing parenthesis")];
    let (path, handlers) = inside.split_once(',').expect("a path and a handler");
    let path = path.trim();
    let path = if let Some(literal) = path.strip_prefix('"') {
        literal.trim_end_matches('"').to_owned()
    } else {
        let name = path.rsplit("::").next().unwrap_or_default();
        let value = constants.get(name);
        value
            .unwrap_or_else(|| panic!("no constant {name} for a path"))
            .clone()
    };
    let named = |method: &str| {
        handlers.match_indices(&format!("{method}(")).any(|(place, _)| {
            let before = handlers[..place].chars().next_back();
            before.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_')
        })
    };
    let methods = METHODS
        .iter()
        .filter(|method| named(method))
        .map(|method| method.to_uppercase())
        .collect();
    (path, methods)
}
