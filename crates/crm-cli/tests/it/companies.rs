use crate::desk::Desk;

#[test]
fn a_company_lives_through_its_commands() {
    let desk = Desk::new();
    let made = desk.json(&[
        "company",
        "add",
        "--name",
        "青空商事",
        "--phone",
        "０３－００００－１１１１",
        "--website",
        "aozora.example",
    ]);
    assert_eq!(made["phone"], "03-0000-1111");
    assert_eq!(made["website"], "https://aozora.example");
    assert_eq!(made["address"], serde_json::Value::Null);
    let id = made["id"].to_string();
    let edited = desk.json(&["company", "edit", &id, "--address", "東京都", "--phone", ""]);
    assert_eq!(
        (&edited["address"], &edited["phone"]),
        (&"東京都".into(), &serde_json::Value::Null)
    );
    desk.customer("山田", &["--company-id", &id]);
    let list = desk.json(&["company", "list", "--query", "青空"]);
    assert_eq!(list[0]["customers"], 1);
    assert_eq!(desk.run(&["company", "delete", &id]).code, 0);
    assert_eq!(desk.json(&["company", "list"]), serde_json::json!([]));
    assert_eq!(
        desk.json(&["customer", "list"])[0]["company_id"],
        serde_json::Value::Null
    );
}

#[test]
fn a_company_tells_how_many_customers_it_has() {
    let desk = Desk::new();
    let company = desk.json(&["company", "add", "--name", "青空商事"]);
    assert_eq!(
        (&company["customers"], &company["remarks"], &company["address"]),
        (&0.into(), &"".into(), &serde_json::Value::Null)
    );
    let id = company["id"].to_string();
    let customer = desk.customer("山田", &["--company-id", &id]);
    assert_eq!(desk.json(&["company", "show", &id])["customers"], 1);
    assert!(desk.run(&["company", "show", &id]).out.contains('1'));
    let list = desk.json(&["customer", "list"]);
    for name in ["first_name_kana", "last_name_kana", "remarks"] {
        assert_eq!(list[0][name], "", "{name} of {customer}");
    }
}
