//! What is told of the camera that a stored file was taken with.

use serde_json::{Value, json};
use test_kit::pictures::{self, fraction};

use crate::{
    media::{holds, stored, upload},
    server::Server,
};

/// A photograph with all of it, a serial number and an owner.
fn photograph(seed: u64, model: &str) -> Vec<u8> {
    let model = format!("{model}\0");
    let main = [
        (0x010f, 2, b"Apple\0".as_slice()),
        (0x0110, 2, model.as_bytes()),
        (0x013b, 2, b"SECRET artist\0"),
    ];
    let exposure = [
        (0x829a, 5, &fraction(1, 120)[..]),
        (0x829d, 5, &fraction(178, 100)),
        (0x8827, 3, &[0, 100]),
        (0x9209, 3, &[0, 1]),
        (0x920a, 5, &fraction(6765, 1000)),
        (0xa405, 3, &[0, 24]),
        (0xa430, 2, b"SECRET owner\0"),
        (0xa431, 2, b"SECRET serial\0"),
        (0xa434, 2, b"back camera\x07 6.765mm f/1.78\0"),
        (0xa435, 2, b"SECRET lens serial\0"),
    ];
    pictures::jpeg_with_exif(seed, &pictures::exif(&main, &exposure))
}

fn told(model: &str) -> Value {
    json!({
        "make": "Apple",
        "model": model,
        "lens": "back camera 6.765mm f/1.78",
        "f_number": 1.78,
        "exposure_seconds": 0.008_333_33,
        "iso": 100,
        "focal_length_mm": 6.77,
        "focal_length_35mm": 24,
        "flash": true,
    })
}

/// The image as its own address has it. Lists must say the same of it.
async fn described(server: &Server, id: &Value) -> Value {
    let image = server
        .get(&format!("/v1/images/{}", id.as_str().unwrap()))
        .await
        .json();
    let list = server.get("/v1/images?limit=100").await.json();
    let listed = list["images"].as_array().unwrap();
    let listed = listed.iter().find(|listed| listed["id"] == *id).unwrap();
    assert_eq!(listed["camera"], image["camera"]);
    image
}

#[tokio::test]
async fn the_camera_is_what_the_stored_file_says_and_no_secret_is_told() {
    let server = Server::start(&[]).await;
    for (seed, scrub, expected) in [
        (1, "location", told("Phone")),
        (2, "keep", told("Phone")),
        (3, "all", Value::Null),
    ] {
        let answer = upload(&server, "a.jpg", &photograph(seed, "Phone"), &[("scrub", scrub)]).await;
        assert_eq!(answer["camera"], expected, "{scrub}");
        let image = described(&server, &answer["id"]).await;
        assert_eq!(image["camera"], expected, "{scrub}");
        assert!(!image.to_string().contains("SECRET"), "{scrub}: {image}");
        let bytes = stored(&server, &image);
        assert_eq!(holds(&bytes, "Apple"), expected.is_object(), "{scrub}");
        assert_eq!(holds(&bytes, "SECRET"), scrub == "keep", "{scrub}");
    }
    let plain = upload(&server, "a.png", &pictures::png(8, 8, 4), &[]).await;
    assert_eq!(plain["camera"], Value::Null);
}

#[tokio::test]
async fn other_bytes_have_a_camera_of_their_own() {
    let server = Server::start(&[]).await;
    let id = upload(&server, "a.jpg", &photograph(1, "Old"), &[]).await["id"].clone();
    let path = format!("/v1/images/{}/content", id.as_str().unwrap());
    let without = pictures::png(8, 8, 1);
    for (bytes, expected) in [
        (photograph(2, "New"), told("New")),
        (without, Value::Null),
        (photograph(1, "Old"), told("Old")),
    ] {
        let answer = server.send("PUT", &path, &[&server.bearer()], &bytes).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["camera"], expected);
        assert_eq!(described(&server, &id).await["camera"], expected);
    }
}

#[tokio::test]
async fn bytes_from_before_anybody_looked_get_their_camera_when_they_are_sent_again() {
    let server = Server::start(&[]).await;
    let file = photograph(1, "Phone");
    let id = upload(&server, "a.jpg", &file, &[]).await["id"].clone();
    let client = server.database.connect().await;
    client
        .execute("UPDATE blob SET camera = NULL", &[])
        .await
        .unwrap();
    assert_eq!(described(&server, &id).await["camera"], Value::Null);
    let again = upload(&server, "a.jpg", &file, &[]).await;
    assert_eq!((&again["id"], &again["camera"]), (&id, &told("Phone")));
    // What a later berth may know more of is no fault of this one.
    let newer = r#"UPDATE blob SET camera = '{"make": "ACME", "shutter": "leaf"}'"#;
    client.execute(newer, &[]).await.unwrap();
    assert_eq!(described(&server, &id).await["camera"]["make"], "ACME");
}
