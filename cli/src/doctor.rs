//! `berth doctor`: asks everything that can be wrong, and says what to do about what is.

mod berth;
mod machine;

use std::fmt;

use process::{Clock, Person, settings::Reader, settings::Sources};

use crate::{Failure, client::words::Words, config};

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    Good,
    /// It works, and should not stay so.
    Doubtful,
    Bad,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "✓",
            Self::Doubtful => "!",
            Self::Bad => "✗",
        })
    }
}

/// What was found, told as it is found: some of it takes a while.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) words: Words,
    worst: Mark,
}

impl Findings {
    /// Something is as it should be.
    pub(crate) fn good(&mut self, english: impl fmt::Display, chinese: impl fmt::Display) {
        self.add(Mark::Good, &english, &chinese);
    }

    /// Something works, and should not stay so.
    pub(crate) fn doubtful(&mut self, english: impl fmt::Display, chinese: impl fmt::Display) {
        self.add(Mark::Doubtful, &english, &chinese);
    }

    /// Something is wrong.
    pub(crate) fn bad(&mut self, english: impl fmt::Display, chinese: impl fmt::Display) {
        self.add(Mark::Bad, &english, &chinese);
    }

    fn add(&mut self, mark: Mark, english: &dyn fmt::Display, chinese: &dyn fmt::Display) {
        self.worst = self.worst.max(mark);
        let text = self.words.pick(english, chinese).to_string();
        let mut lines = text.lines();
        println!("{mark} {}", lines.next().unwrap_or_default());
        for line in lines {
            println!("    {line}");
        }
    }
}

/// `berth doctor`. An error if anything is wrong; what is only doubtful is none.
pub(crate) async fn examine(health: &[String]) -> Result<(), Failure> {
    let person = Person::load();
    let words = Words::of(&person);
    let mut findings = Findings {
        words,
        worst: Mark::Good,
    };
    let sources = Sources::load();
    let reader = Reader::new(sources.clone());
    let is_set = |name| reader.is_set(name);
    let serves = ["BERTH_DATABASE_URL", "BERTH_SECRET", "BERTH_DATA"]
        .into_iter()
        .any(is_set);
    let now = Clock::system().now();
    if serves {
        match config::complaints(sources) {
            Ok(()) => findings.good("The settings are in order", "配置无误"),
            Err(complaints) => {
                let list = complaints.0.join("\n");
                findings.bad(
                    format!("Settings need mending:\n{list}"),
                    format!("配置有误：\n{list}"),
                );
            }
        }
        if let Some(url) = reader.text("BERTH_DATABASE_URL") {
            machine::database(&mut findings, url, now).await;
        }
        if is_set("BERTH_DATA") {
            let data = reader.text("BERTH_DATA").unwrap_or_default();
            machine::store(&mut findings, std::path::Path::new(data));
        }
    } else {
        findings.good(
            "No service is set up here (no BERTH_DATABASE_URL, BERTH_SECRET, BERTH_DATA): only the client is looked at",
            "本机没有服务端配置（无 BERTH_DATABASE_URL、BERTH_SECRET、BERTH_DATA）：只检查客户端",
        );
    }
    let own = reader.text("BERTH_METRICS_LISTEN").filter(|_| serves);
    let own = own.map(|listen| format!("http://{listen}/health/ready"));
    for url in health.iter().chain(&own) {
        machine::health(&mut findings, url).await;
    }
    let base_url = reader.text("BERTH_BASE_URL").filter(|_| serves);
    berth::look(&mut findings, &person, base_url, now).await;
    match findings.worst {
        Mark::Bad => Err(words
            .pick("something is wrong; see above", "存在问题，见上文")
            .into()),
        Mark::Good | Mark::Doubtful => Ok(()),
    }
}
