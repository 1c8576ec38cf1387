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
