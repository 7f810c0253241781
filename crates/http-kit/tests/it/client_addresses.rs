use std::net::IpAddr;

use http::{HeaderMap, HeaderValue};
use http_kit::{Peer, TrustedProxies, client_address};

fn tcp(address: &str) -> Peer {
    Peer::Tcp((address.parse::<IpAddr>().unwrap(), 4711).into())
}

fn headers(lines: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(
            "x-forwarded-for",
            HeaderValue::from_bytes(line.as_bytes()).unwrap(),
        );
    }
    headers
}

#[test]
fn the_client_is_the_first_hop_nobody_vouches_for() {
    const OURS: &str = "unix, 10.0.0.0/8, 2001:db8::/32";
    let cases: &[(&str, Peer, &[&str], &str)] = &[
        (OURS, tcp("198.51.100.7"), &["1.2.3.4"], "198.51.100.7"),
        (OURS, tcp("10.0.0.1"), &["1.2.3.4"], "1.2.3.4"),
        (OURS, tcp("10.0.0.1"), &["9.9.9.9, 1.2.3.4"], "1.2.3.4"),
        (OURS, tcp("10.0.0.1"), &["9.9.9.9, 1.2.3.4, 10.3.3.3"], "1.2.3.4"),
        (
            OURS,
            tcp("10.0.0.1"),
            &["9.9.9.9", "1.2.3.4,10.3.3.3", "10.4.4.4"],
            "1.2.3.4",
        ),
        (OURS, tcp("10.0.0.1"), &["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
        (OURS, tcp("10.0.0.1"), &[], "10.0.0.1"),
        (OURS, tcp("10.0.0.1"), &["1.2.3.4, nonsense"], "10.0.0.1"),
        (OURS, tcp("10.0.0.1"), &["1.2.3.4, unknown, 10.3.3.3"], "10.3.3.3"),
        (OURS, tcp("10.0.0.1"), &["1.2.3.4:99"], "1.2.3.4"),
        (OURS, tcp("10.0.0.1"), &["[2620:0:1::5]:99"], "2620:0:1::5"),
        (OURS, tcp("10.0.0.1"), &["[2620:0:1::5]"], "2620:0:1::5"),
        (
            OURS,
            tcp("10.0.0.1"),
            &["2620:0:1::5, 2001:db8::9"],
            "2620:0:1::5",
        ),
        (OURS, tcp("10.0.0.1"), &["::ffff:1.2.3.4"], "1.2.3.4"),
        (OURS, tcp("::ffff:10.0.0.1"), &["1.2.3.4"], "1.2.3.4"),
        (OURS, tcp("10.0.0.1"), &["1.2.3.4,"], "10.0.0.1"),
        (OURS, Peer::Unix, &["1.2.3.4"], "1.2.3.4"),
        (OURS, Peer::Unix, &[], "127.0.0.1"),
        ("10.0.0.0/8", Peer::Unix, &["1.2.3.4"], "127.0.0.1"),
        ("unix", tcp("127.0.0.1"), &["1.2.3.4"], "127.0.0.1"),
        ("127.0.0.1", tcp("127.0.0.1"), &["1.2.3.4"], "1.2.3.4"),
        ("", Peer::Unix, &["1.2.3.4"], "127.0.0.1"),
    ];
    for (trusted, peer, lines, expected) in cases {
        let trusted: TrustedProxies = trusted.parse().unwrap();
        let found = client_address(*peer, &headers(lines), &trusted);
        assert_eq!(
            found.to_string(),
            *expected,
            "{peer:?} {lines:?} trusting {trusted:?}"
        );
    }
}

#[test]
fn a_chain_of_ten_thousand_hops_is_not_walked() {
    let chain = vec!["10.0.0.2"; 10_000].join(",");
    let trusted: TrustedProxies = "10.0.0.0/8".parse().unwrap();
    let found = client_address(
        tcp("10.0.0.1"),
        &headers(&[&format!("1.2.3.4,{chain}")]),
        &trusted,
    );
    assert_eq!(found.to_string(), "10.0.0.2");
}

#[test]
fn a_list_of_proxies_with_a_mistake_is_refused_by_name() {
    for (list, wrong) in [
        ("10.0.0.0/33", "10.0.0.0/33"),
        ("unix, nginx", "nginx"),
        ("10.0.0", "10.0.0"),
    ] {
        let error = list.parse::<TrustedProxies>().unwrap_err();
        assert!(error.to_string().contains(&format!("`{wrong}`")), "{error}");
    }
}

/// What the client itself writes into the header never becomes its address, through nginx or direct.
#[test]
fn no_spoofed_header_of_the_corpus_moves_the_client() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/corpus/cases/xff.json"
    );
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: the corpus is not here");
        return;
    };
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert!(!cases.is_empty());
    for case in &cases {
        let given = case["xff"].as_str().unwrap();
        let Ok(direct) = HeaderValue::from_bytes(given.as_bytes()) else {
            continue;
        };
        let trusted = TrustedProxies::default();
        let mut map = HeaderMap::new();
        map.insert("x-forwarded-for", direct);
        let found = client_address(tcp("198.51.100.7"), &map, &trusted);
        assert_eq!(found.to_string(), "198.51.100.7", "direct, {given:?}");
        // nginx appends the address it saw.
        let through_nginx = headers(&[&format!("{given}, 198.51.100.7")]);
        let found = client_address(Peer::Unix, &through_nginx, &trusted);
        assert_eq!(found.to_string(), "198.51.100.7", "through nginx, {given:?}");
    }
}
