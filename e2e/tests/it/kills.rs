//! What counts are worth: views through nginx while serve-svc and Postgres are killed, held against the clients' own ledger.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use test_kit::pictures;

use crate::stack::{Stack, wait_for};

const CLIENTS: u64 = 6;
const IMAGES: u64 = 12;
/// Kills in `make test`; `make kills` asks for more.
const KILLS: u64 = 10;

/// What clients know of one image.
#[derive(Debug, Clone, Copy, Default)]
struct Ledger {
    /// Views whose answer came whole.
    answered: u64,
    /// Requests that may have been a view and whose answer never came.
    died: u64,
}

impl Ledger {
    fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.died += other.died;
    }
}

/// Numbers without a plan.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new() -> Self {
        Self(RandomState::new().build_hasher().finish() | 1)
    }

    pub(crate) fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_kill_loses_or_doubles_a_view() {
    let kills = std::env::var_os("KILLS").map_or(KILLS, |kills| kills.to_str().unwrap().parse().unwrap());
    let mut stack = Stack::start(&[("BERTH_LOG", "warn")]).await;
    let paths: Vec<String> = (0..IMAGES).map(|seed| upload(&stack, seed)).collect();
    let (ended, authority) = (
        AtomicBool::new(false),
        stack.url.strip_prefix("http://").unwrap().to_owned(),
    );
    let mut ledgers: HashMap<&str, Ledger> = HashMap::new();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| scope.spawn(|| look(&authority, &paths, &ended)))
            .collect();
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(kill_again_and_again(&mut stack, kills));
        });
        ended.store(true, Ordering::Relaxed);
        for client in clients {
            for (path, ledger) in paths.iter().zip(client.join().unwrap()) {
                ledgers.entry(path).or_default().add(ledger);
            }
        }
    });
    // What was left by the killed is adopted, and a stop in order folds the rest.
    wait_for("the journals of the killed", Duration::from_secs(30), || {
        (journals(stack.folder.path()) == 1).then_some(())
    });
    assert_eq!(stack.stop_services(), [Some(0), Some(0), Some(0)]);
    assert_eq!(journals(stack.folder.path()), 0, "nothing is left in doubt");
    check(&stack, &ledgers, kills).await;
}

fn upload(stack: &Stack, seed: u64) -> String {
    let file = stack.folder.path().join(format!("{seed}.png"));
    std::fs::write(&file, pictures::png(32, 32, seed)).unwrap();
    let url = stack.upload(&file, &[])["url"].as_str().unwrap().to_owned();
    url.strip_prefix(&stack.url).unwrap().to_owned()
}

fn journals(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder.join("journal"))
        .unwrap()
        .map(Result::unwrap);
    files
        .filter(|file| {
            file.file_name()
                .to_str()
                .is_some_and(|name| name.ends_with(".journal"))
        })
        .count()
}

/// Half of the kills at any moment, half while a fold is under way; serve-svc, Postgres, or both.
async fn kill_again_and_again(stack: &mut Stack, kills: u64) {
    let mut dice = Dice::new();
    for kill in 0..kills {
        // The moment is random because that is what is tested.
        tokio::time::sleep(Duration::from_millis(dice.below(600))).await;
        if kill % 2 == 0 {
            stack.wait_for_a_fold().await;
            tokio::time::sleep(Duration::from_micros(dice.below(3_000))).await;
        }
        let victim = kill % 5;
        if victim != 1 {
            stack.kill_service("serve-svc");
        }
        if matches!(victim, 1 | 4) {
            stack.kill_database().await;
            stack.start_database().await;
        }
        if victim != 1 {
            stack.restart_service("serve-svc");
        }
    }
}

/// Looks at the pictures until the end, and writes down what came of it.
fn look(authority: &str, paths: &[String], ended: &AtomicBool) -> Vec<Ledger> {
    let mut dice = Dice::new();
    let mut ledgers = vec![Ledger::default(); paths.len()];
    let mut connection = None;
    while !ended.load(Ordering::Relaxed) {
        let which = usize::try_from(dice.below(paths.len() as u64)).unwrap();
        let Some(open) = connection.take().or_else(|| connect(authority)) else {
            continue;
        };
        let referer = [
            "",
            "Referer: https://blog.example/\r\n",
            "Referer: https://a.friends.example/\r\n",
        ][usize::try_from(dice.below(3)).unwrap()];
        match ask(open, authority, &paths[which], referer) {
            Some((200, open)) => {
                ledgers[which].answered += 1;
                connection = Some(open);
            }
            // An answer that is no view: nobody could tell what the URL names. nginx is asked again in a moment.
            Some((503, open)) => connection = Some(open),
            // nginx's own: serve-svc died, before it counted or after.
            Some((502 | 504, open)) => {
                ledgers[which].died += 1;
                connection = Some(open);
                std::thread::sleep(Duration::from_millis(2));
            }
            Some((status, _)) => panic!("{status} for {}", paths[which]),
            None => ledgers[which].died += 1,
        }
    }
    ledgers
}

pub(crate) fn connect(authority: &str) -> Option<BufReader<TcpStream>> {
    let stream = TcpStream::connect(authority).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.set_nodelay(true).unwrap();
    Some(BufReader::new(stream))
}

/// One request and its whole answer; nothing where it did not come whole.
pub(crate) fn ask(
    mut open: BufReader<TcpStream>,
    authority: &str,
    path: &str,
    referer: &str,
) -> Option<(u16, BufReader<TcpStream>)> {
    let head = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\n{referer}\r\n");
    open.get_mut().write_all(head.as_bytes()).ok()?;
    let mut line = String::new();
    open.read_line(&mut line).ok()?;
    let status = line.split(' ').nth(1)?.parse().ok()?;
    let mut length = 0;
    loop {
        line.clear();
        open.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    open.read_exact(&mut body).ok()?;
    Some((status, open))
}

async fn check(stack: &Stack, ledgers: &HashMap<&str, Ledger>, kills: u64) {
    let owner = stack.connect_database().await;
    let (mut total, mut sum) = (0, Ledger::default());
    for (path, ledger) in ledgers {
        let id = path.trim_start_matches("/i/").split('.').next().unwrap();
        let sql = "SELECT views FROM view_count JOIN image ON image.id = image_id WHERE public_id = $1";
        let views: i64 = owner.query_one(sql, &[&id]).await.unwrap().get(0);
        let views = u64::try_from(views).unwrap();
        assert!(
            (ledger.answered..=ledger.answered + ledger.died).contains(&views),
            "{id}: {views} counted, {ledger:?}"
        );
        total += views;
        sum.add(*ledger);
    }
    println!(
        "{kills} kills: {} answered, {} died unanswered, {total} counted",
        sum.answered, sum.died
    );
    assert!(sum.answered > 100 * kills, "the clients were let down: {sum:?}");
    // What is shown by day, by site and by account is the same.
    for table in [
        "view_count",
        "view_count_day",
        "account_day",
        "image_site_day",
        "account_site_day",
    ] {
        let sql = format!("SELECT sum(views)::bigint FROM {table}");
        let views: i64 = owner.query_one(&sql, &[]).await.unwrap().get(0);
        assert_eq!(u64::try_from(views).unwrap(), total, "{table}");
    }
}
