use process::settings::{Complaints, Sources};
use test_kit::pictures;
use upload_svc::UploadSettings;

use super::token_header;
use crate::server::{Part, Server};

#[tokio::test]
async fn only_what_is_switched_on_is_spoken() {
    let server = Server::start(&[("BERTH_DIALECTS", "smms,sharex")]).await;
    let token = token_header(&server);
    let png = pictures::png(3, 3, 1);
    for (path, spoken) in [
        ("/api/v2/upload", true),
        ("/api/v1/upimg", false),
        ("/api/1/upload", false),
        ("/api/upload", false),
        ("/upload", false),
        ("/heartbeat", false),
        // ShareX's files point at it.
        ("/api/v1/upload", true),
        ("/api/v1/tokens", false),
    ] {
        let answer = server
            .post(path, &[&token], &[Part::File("file", "a.png", &png)])
            .await;
        assert_eq!(answer.status, if spoken { 200 } else { 404 }, "{path}");
    }
}

#[test]
fn a_dialect_that_nobody_knows_is_complained_about() {
    let pairs = [
        ("BERTH_SECRET", "0123456789abcdef0123456789abcdef"),
        ("BERTH_DATABASE_URL", "host=/run/postgresql"),
        ("BERTH_DIALECTS", "lsky,imgur"),
    ];
    let Err(Complaints(lines)) = UploadSettings::load(Sources::from_pairs(pairs)) else {
        panic!("nobody complained");
    };
    assert!(lines.len() == 1 && lines[0].contains("imgur"), "{lines:?}");
}
