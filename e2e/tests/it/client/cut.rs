//! Connections that are cut, and programs that are killed, in the middle of a large file.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use test_kit::pictures;

use super::{Desk, path};
use crate::{curl::curl, stack::wait_for};

/// A way to the berth that breaks down on demand.
pub(super) struct Road {
    pub(super) url: String,
    /// Bytes that may still go towards the berth until the connection is cut.
    pub(super) allowance: Arc<AtomicI64>,
    /// Bytes that may still come back.
    pub(super) back_allowance: Arc<AtomicI64>,
    /// What to do with the bytes beyond: hold them back instead of cutting.
    pub(super) holds: Arc<AtomicBool>,
    /// Bytes that went towards the berth, and back.
    pub(super) there: Arc<AtomicU64>,
    pub(super) back: Arc<AtomicU64>,
}

impl Road {
    /// To a URL such as `http://127.0.0.1:8080`. Its threads end with the test's process.
    pub(super) fn to(url: &str) -> Self {
        let target = url.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let road = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            allowance: Arc::new(AtomicI64::new(i64::MAX)),
            back_allowance: Arc::new(AtomicI64::new(i64::MAX)),
            holds: Arc::default(),
            there: Arc::default(),
            back: Arc::default(),
        };
        let (allowance, holds) = (Arc::clone(&road.allowance), Arc::clone(&road.holds));
        let (there, back) = (Arc::clone(&road.there), Arc::clone(&road.back));
        let back_allowance = Arc::clone(&road.back_allowance);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(&target) else {
                    continue;
                };
                let (near_too, far_too) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                let (limit, stop, count) = (Arc::clone(&allowance), Arc::clone(&holds), Arc::clone(&there));
                thread::spawn(move || carry(near, far, &count, &limit, &stop));
                let (limit, stop, count) =
                    (Arc::clone(&back_allowance), Arc::clone(&holds), Arc::clone(&back));
                thread::spawn(move || carry(far_too, near_too, &count, &limit, &stop));
            }
        });
        road
    }
}

fn carry(
    mut from: TcpStream,
    mut to: TcpStream,
    count: &AtomicU64,
    allowance: &AtomicI64,
    holds: &AtomicBool,
) {
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let length = i64::try_from(read).unwrap();
        if allowance.fetch_sub(length, SeqCst) < length {
            while holds.load(SeqCst) {
                thread::sleep(Duration::from_millis(10));
            }
            // Once cut, the road is good again.
            allowance.store(i64::MAX, SeqCst);
            break;
        }
        count.fetch_add(read as u64, SeqCst);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// About 9 MB, which go in two pieces.
fn large(seed: u64) -> Vec<u8> {
    pictures::png(1750, 1750, seed)
}

#[test]
fn a_cut_connection_is_taken_up_where_it_broke() {
    let desk = Desk::new();
    let bytes = large(1);
    assert!(bytes.len() > 8 << 20, "{} is more than a piece", bytes.len());
    let file = desk.file("large.png", &bytes);
    let road = Road::to(desk.url());
    road.allowance.store(6 << 20, SeqCst);
    let mut command = desk.command(&["upload", path(&file)]);
    let link = super::printed(command.env("BERTH_URL", &road.url));
    assert_eq!(curl(&[link.trim()]).body, bytes);
    let sent = road.there.load(SeqCst);
    assert!(
        sent < bytes.len() as u64 + (2 << 20),
        "{sent} bytes were sent for {}: it went on, it did not begin again",
        bytes.len()
    );
    // A small file whose connection is cut is sent again, once.
    let small = desk.picture("small.png", 2);
    road.allowance.store(1_500, SeqCst);
    let mut command = desk.command(&["upload", path(&small)]);
    super::printed(command.env("BERTH_URL", &road.url));
    assert_eq!(desk.list(&[]).len(), 2);
}

#[test]
fn a_program_that_was_killed_goes_on_where_it_stood() {
    let desk = Desk::new();
    let bytes = large(3);
    let file = desk.file("large.png", &bytes);
    let road = Road::to(desk.url());
    road.allowance.store(7 << 20, SeqCst);
    road.holds.store(true, SeqCst);
    let mut command = desk.command(&["upload", path(&file)]);
    let mut child = command.env("BERTH_URL", &road.url).spawn().unwrap();
    wait_for("most of the first piece", Duration::from_mins(1), || {
        (road.there.load(SeqCst) > (7 << 20) - (64 << 10)).then_some(())
    });
    child.kill().unwrap();
    child.wait().unwrap();
    road.holds.store(false, SeqCst);
    wait_for("the end of the connection", Duration::from_secs(10), || {
        (road.allowance.load(SeqCst) == i64::MAX).then_some(())
    });
    let before = road.there.load(SeqCst);
    let mut command = desk.command(&["upload", path(&file)]);
    let link = super::printed(command.env("BERTH_URL", &road.url));
    assert_eq!(curl(&[link.trim()]).body, bytes);
    let sent = road.there.load(SeqCst) - before;
    assert!(
        sent < bytes.len() as u64 - (5 << 20),
        "{sent} of {} were sent again",
        bytes.len()
    );
    let left = std::fs::read_dir(desk.folder.path().join(".local/state/berth/uploads")).unwrap();
    assert_eq!(left.count(), 0, "what is over is forgotten");
}
