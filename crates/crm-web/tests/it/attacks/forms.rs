//! The forms of a page, read as a browser reads them.

/// How a field is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// An address of e-mail.
    Email,
    /// Something that must have a shape, and may be empty.
    Shaped,
    /// What the page says.
    Given,
}

/// A form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    /// Where it is sent; the page's own address if it does not say.
    pub action: String,
    pub post: bool,
    /// Names, values, and how they are filled in.
    pub fields: Vec<(String, String, Kind)>,
}

impl Form {
    /// All forms of a page.
    pub(super) fn all(page: &str, own: &str) -> Vec<Form> {
        let mut forms = Vec::new();
        for part in page.split("<form").skip(1) {
            let whole = part.split("</form>").next().unwrap_or_default();
            let (head, body) = whole.split_once('>').unwrap_or((whole, ""));
            forms.push(Form {
                action: attribute(head, "action").unwrap_or_else(|| own.to_owned()),
                post: attribute(head, "method").is_some_and(|method| method.eq_ignore_ascii_case("post")),
                fields: fields(body),
            });
        }
        forms
    }
}

fn fields(body: &str) -> Vec<(String, String, Kind)> {
    let mut found: Vec<(String, String, Kind)> = Vec::new();
    for tag in body.split('<').skip(1) {
        let (head, after) = tag.split_once('>').unwrap_or((tag, ""));
        let Some(name) = attribute(head, "name") else {
            continue;
        };
        let value = attribute(head, "value").unwrap_or_default();
        match head.split_whitespace().next().unwrap_or_default() {
            "input" => {
                let kind = attribute(head, "type").unwrap_or_else(|| "text".to_owned());
                let again = kind == "radio" && found.iter().any(|(known, _, _)| *known == name);
                if !again && kind != "file" && (kind != "checkbox" || head.contains(" checked")) {
                    found.push((name, value, kind_of(&kind)));
                }
            }
            "textarea" => {
                let text = unescaped(after.split('<').next().unwrap_or_default());
                found.push((name, text, Kind::Text));
            }
            "select" => {
                let rest = body.split_once(tag).map_or("", |(_, rest)| rest);
                let option = rest.split("<option").nth(1).unwrap_or_default();
                let head = option.split('>').next().unwrap_or_default();
                found.push((name, attribute(head, "value").unwrap_or_default(), Kind::Given));
            }
            _ => {}
        }
    }
    found
}

fn kind_of(input: &str) -> Kind {
    match input {
        "hidden" | "checkbox" | "radio" | "submit" => Kind::Given,
        "email" => Kind::Email,
        "tel" | "url" | "number" | "date" | "datetime-local" => Kind::Shaped,
        _ => Kind::Text,
    }
}

/// The value of an attribute in a tag.
fn attribute(head: &str, name: &str) -> Option<String> {
    let mark = format!(" {name}=\"");
    let (_, after) = head
        .split_once(&mark)
        .or_else(|| head.split_once(&mark.replace(' ', "\n")))?;
    Some(unescaped(after.split('"').next()?))
}

fn unescaped(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#x2f;", "/"),
        ("&amp;", "&"),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (code, sign)| text.replace(code, sign))
}

#[test]
fn forms_are_read() {
    let page = "<form class=\"x\" method=\"post\" action=\"/a&#x2f;b\"><input type=\"hidden\" name=\"csrf_token\" value=\"t\">\
                <input name=\"q\"><textarea name=\"m\">a&lt;b</textarea>\
                <select name=\"s\"><option value=\"1\">x</select></form>";
    let field = |name: &str, value: &str, kind| (name.to_owned(), value.to_owned(), kind);
    let form = Form {
        action: "/a/b".to_owned(),
        post: true,
        fields: vec![
            field("csrf_token", "t", Kind::Given),
            field("q", "", Kind::Text),
            field("m", "a<b", Kind::Text),
            field("s", "1", Kind::Given),
        ],
    };
    assert_eq!(Form::all(page, "/own"), [form]);
}
