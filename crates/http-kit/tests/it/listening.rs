use std::os::unix::fs::PermissionsExt;

use http_kit::{ConnectionLimits, ListenAddress, Listener};

use crate::rig::{Rig, settings};

#[tokio::test]
async fn port_0_becomes_a_real_port() {
    let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = listener.local_url().unwrap();
    let port: u16 = url.strip_prefix("http://127.0.0.1:").unwrap().parse().unwrap();
    assert_ne!(port, 0);
}

#[tokio::test]
async fn a_unix_socket_answers_and_is_closed_to_strangers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.sock");
    let address = ListenAddress::Unix(path.clone());
    let rig = Rig::start_at(&address, ConnectionLimits::default(), settings()).await;
    let answer = rig.ask("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "pong"));
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o660
    );
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing beside the socket is left"
    );
}

#[tokio::test]
async fn a_socket_in_use_is_not_taken_and_a_dead_one_is() {
    let folder = tempfile::tempdir().unwrap();
    let address = ListenAddress::Unix(folder.path().join("test.sock"));
    let first = Listener::bind(&address).await.unwrap();
    let error = Listener::bind(&address).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    drop(first);
    Listener::bind(&address).await.unwrap();
}

#[tokio::test]
async fn a_file_in_the_sockets_place_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("precious");
    std::fs::write(&path, "data").unwrap();
    let error = Listener::bind(&ListenAddress::Unix(path.clone()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "data");
}
