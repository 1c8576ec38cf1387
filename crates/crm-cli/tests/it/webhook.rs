//! Callbacks that wait or are held, from the command line.

use crate::desk::Desk;

#[test]
fn with_nothing_held_a_recheck_says_so() {
    let desk = Desk::new();
    desk.run(&["migrate"]);
    let done = desk.json(&["webhook", "recheck"]);
    for name in ["rechecked", "recorded", "existed", "still_wrong"] {
        assert_eq!(done[name], 0, "{done}");
    }
    let said = desk.run(&["webhook", "recheck"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("保留した通知 0 件"), "{}", said.out);
}

#[test]
fn the_doctor_counts_what_waits_in_the_spool_and_what_is_held() {
    let desk = Desk::new();
    desk.run(&["migrate"]);
    let checks = desk.json(&["doctor"]);
    for name in ["spool", "held"] {
        let check = checks
            .as_array()
            .unwrap()
            .iter()
            .find(|check| check["check"] == name)
            .unwrap();
        assert_eq!((&check["state"], &check["detail"]), (&"ok".into(), &"0".into()));
    }
    assert!(!desk.path("data/spool").exists(), "looking makes nothing");
    std::fs::write(desk.path("data/spool"), "no folder").unwrap();
    let failed = desk.run(&["doctor"]);
    assert!(failed.out.contains("CRM_SPOOL_DIR"), "{}", failed.out);
}
