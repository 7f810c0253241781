/// Whether a program that reads for a machine says so of itself in its `User-Agent`: search engines, link previews, monitors.
///
/// Only what says so: a script that calls itself a browser passes for one, and curl or a library is somebody's own program,
/// whose views they want to see.
#[must_use]
pub fn is_bot(user_agent: &str) -> bool {
    let text = user_agent.as_bytes();
    // It is asked of every view: three letters in three tables sort nearly every place out.
    text.windows(LETTERS).enumerate().any(|(at, letters)| {
        let fits = (0..LETTERS).fold(u32::MAX, |fits, place| {
            fits & TABLES[place][usize::from(letters[place])]
        });
        fits != 0 && MARKS.iter().any(|mark| mark.stands_at(text, at))
    })
}

/// So many letters of each mark are looked at before the rest.
const LETTERS: usize = 3;

/// For the first, second and third letter, in either case: the marks that have it there, one bit each.
const TABLES: [[u32; 256]; LETTERS] = tables();

const fn tables() -> [[u32; 256]; LETTERS] {
    let mut tables = [[0; 256]; LETTERS];
    let mut mark = 0;
    while mark < MARKS.len() {
        let text = MARKS[mark].text.as_bytes();
        let mut place = 0;
        while place < LETTERS {
            tables[place][text[place] as usize] |= 1 << mark;
            tables[place][text[place].to_ascii_uppercase() as usize] |= 1 << mark;
            place += 1;
        }
        mark += 1;
    }
    tables
}

/// A word by which a program says that it is one.
struct Mark {
    text: &'static str,
    /// Whether the word ends here: "bot" is none in "bottle". What comes before it may be anything: "Googlebot".
    ends: bool,
}

const fn word(text: &'static str) -> Mark {
    Mark { text, ends: true }
}

const fn start(text: &'static str) -> Mark {
    Mark { text, ends: false }
}

/// In lower case, of three letters at least, and 32 at most.
const MARKS: &[Mark] = &[
    word("bot"),
    word("bots"),
    start("crawl"),
    start("spider"),
    start("slurp"),
    start("facebookexternalhit"),
    start("meta-externalagent"),
    start("mediapartners-google"),
    start("google-inspectiontool"),
    start("bingpreview"),
    start("bytespider"),
    start("whatsapp/"),
    start("embedly"),
    start("preview/"),
    start("archive.org"),
    start("pingdom"),
    start("uptime"),
    start("headlesschrome"),
];

/// Names of telephones that end like a bot's.
const NO_BOTS: &[&str] = &["cubot"];

impl Mark {
    fn stands_at(&self, text: &[u8], at: usize) -> bool {
        let end = at + self.text.len();
        text.get(at..end)
            .is_some_and(|here| here.eq_ignore_ascii_case(self.text.as_bytes()))
            && !(self.ends && text.get(end).is_some_and(u8::is_ascii_alphabetic))
            && !NO_BOTS.iter().any(|name| {
                end.checked_sub(name.len())
                    .is_some_and(|from| text[from..end].eq_ignore_ascii_case(name.as_bytes()))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bot_is_who_says_so() {
        for bot in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Googlebot-Image/1.0",
            "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
            "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
            "Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)",
            "Mozilla/5.0 (compatible; YandexImages/3.0; +http://yandex.com/bots)",
            "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
            "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)",
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "Twitterbot/1.0",
            "TelegramBot (like TwitterBot)",
            "WhatsApp/2.23.20.0",
            "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
            "CCBot/2.0 (https://commoncrawl.org/faq/)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36",
            "bot",
        ] {
            assert!(is_bot(bot), "{bot}");
        }
        for person in [
            "",
            "-",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
            "Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 12; CUBOT_NOTE) AppleWebKit/537.36",
            "Bottle/0.12",
            "curl/8.5.0",
            "Wget/1.21",
            "python-requests/2.31.0",
            "PicGo/2.3",
            "Typora",
        ] {
            assert!(!is_bot(person), "{person}");
        }
    }
}
