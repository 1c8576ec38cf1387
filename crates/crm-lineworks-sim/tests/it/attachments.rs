//! Files: announced, uploaded, found, downloaded.

use crate::world::{Answer, World};
use serde_json::{Value, json};

fn base(world: &World) -> String {
    format!("/v1.0/bots/{}/attachments", world.sim.config().bot_id)
}

fn announce(world: &World, token: &str, body: &Value) -> Answer {
    world.post_json(token, &base(world), body)
}

fn multipart(part: &str, bytes: &[u8]) -> Vec<u8> {
    let mut body =
        b"--line\r\nContent-Disposition: form-data; name=\"resourceName\"\r\n\r\na.pdf\r\n--line\r\n"
            .to_vec();
    body.extend(format!("Content-Disposition: form-data; name=\"{part}\"; filename=\"a.pdf\"\r\n").bytes());
    body.extend(b"Content-Type: application/octet-stream\r\n\r\n");
    body.extend(bytes);
    body.extend(b"\r\n--line--\r\n");
    body
}

fn upload(world: &World, token: &str, url: &str, body: &[u8]) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "multipart/form-data; boundary=line"),
    ];
    world.call("POST", url, &headers, Some(body)).unwrap()
}

#[test]
fn a_file_goes_up_and_comes_down() {
    let world = World::new();
    let token = world.token();
    let announced = announce(&world, &token, &json!({"fileName": "見積 1.pdf"}));
    assert_eq!(announced.status, 200);
    let (file_id, url) = (
        announced.json()["fileId"].clone(),
        announced.json()["uploadUrl"].clone(),
    );
    let (file_id, url) = (file_id.as_str().unwrap(), url.as_str().unwrap());
    let content = json!({"content": {"type": "file", "fileId": file_id}});
    let to_anna = world.messages_path(crate::world::ANNA);
    assert_eq!(
        world.post_json(&token, &to_anna, &content).status,
        400,
        "not uploaded yet"
    );

    let bytes = b"%PDF \r\n--lin\r\n\x00\xff";
    assert_eq!(
        upload(&world, "unknown", url, &multipart("Filedata", bytes)).status,
        401
    );
    assert_eq!(
        upload(&world, &token, url, &multipart("Filedata", bytes)).json()["fileId"],
        file_id
    );
    assert_eq!(
        upload(&world, &token, url, &multipart("Filedata", bytes)).status,
        409,
        "single use"
    );
    assert_eq!(world.post_json(&token, &to_anna, &content).status, 201);

    let found = world.get(&token, &format!("{}/{file_id}", base(&world)));
    assert_eq!((found.status, found.header("rateLimit-limit")), (302, None));
    let location = found.header("Location").unwrap();
    assert_eq!(
        world.call("GET", location, &[], None).unwrap().status,
        401,
        "the bearer is needed again"
    );
    let file = world.get(&token, location);
    assert_eq!(file.body, bytes);
    let name = file.header("Content-Disposition").unwrap();
    assert_eq!(name, "attachment; filename*=UTF-8''%E8%A6%8B%E7%A9%8D%201.pdf");
}

#[test]
fn both_spellings_of_the_part_are_taken_and_no_other() {
    let world = World::new();
    let token = world.token();
    for (part, status) in [("Filedata", 200), ("FileData", 200), ("file", 400)] {
        let url = announce(&world, &token, &json!({"fileName": "a"})).json()["uploadUrl"].clone();
        let answer = upload(&world, &token, url.as_str().unwrap(), &multipart(part, b"a"));
        assert_eq!(answer.status, status, "{part}");
    }
    let url = announce(&world, &token, &json!({"fileName": "a"})).json()["uploadUrl"].clone();
    assert_eq!(upload(&world, &token, url.as_str().unwrap(), b"raw").status, 400);
}

#[test]
fn the_announcement_is_checked() {
    let world = World::new();
    let token = world.token();
    let cases = [
        (json!({}), "MISSING_PARAMETER"),
        (json!({"fileName": ""}), "INVALID_PARAMETER"),
        (json!({"fileName": 1}), "INVALID_PARAMETER"),
        (json!({"fileName": "a", "size": 1}), "INVALID_PARAMETER"),
    ];
    for (body, code) in cases {
        assert_eq!(
            announce(&world, &token, &body).verdict(),
            (400, code.to_owned()),
            "{body}"
        );
    }
    let bearer = format!("Bearer {token}");
    let headers = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "multipart/form-data; boundary=line"),
    ];
    let answer = world
        .call(
            "POST",
            &base(&world),
            &headers,
            Some(&multipart("Filedata", b"a")),
        )
        .unwrap();
    assert_eq!(answer.json()["description"], "Request body cannot be parsed.");
}

#[test]
fn file_ids_live_a_day_and_large_files_are_refused() {
    let world = World::with(|config| config.token_lifetime = std::time::Duration::from_secs(200_000));
    let token = world.token();
    let file_id = world.sim.store_file("a.txt", &b"abc"[..]).unwrap();
    let url = announce(&world, &token, &json!({"fileName": "late"})).json()["uploadUrl"].clone();
    let path = format!("{}/{file_id}", base(&world));
    world.pass(86_399_000);
    assert_eq!(world.get(&token, &path).status, 302);
    world.pass(1_000);
    assert_eq!(world.get(&token, &path).status, 404);
    assert_eq!(
        upload(
            &world,
            &token,
            url.as_str().unwrap(),
            &multipart("Filedata", b"a")
        )
        .status,
        404
    );
    let url = announce(&world, &token, &json!({"fileName": "large"})).json()["uploadUrl"].clone();
    let large = multipart("Filedata", &vec![0; 10 * 1024 * 1024 + 1]);
    assert_eq!(upload(&world, &token, url.as_str().unwrap(), &large).status, 400);
}

#[test]
fn beyond_its_cap_the_store_forgets_the_oldest() {
    let world = World::new();
    let token = world.token();
    let store = || {
        world
            .sim
            .store_file("a.bin", vec![0_u8; 8 * 1024 * 1024])
            .unwrap()
    };
    let ids: Vec<String> = (0..9).map(|_| store()).collect();
    let status = |id: &String| world.get(&token, &format!("{}/{id}", base(&world))).status;
    assert_eq!(
        (status(&ids[0]), status(&ids[1]), status(&ids[8])),
        (404, 302, 302)
    );
}
