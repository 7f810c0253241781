//! The decoder process: this program once more, with a first argument that only [`Decoders`](crate::Decoders) gives. It
//! takes its limits, says that it is ready, and then does one job a line until its input ends.

use std::{
    ffi::{OsStr, OsString},
    io::{self, BufRead as _, Write as _},
    panic::{self, AssertUnwindSafe},
    process::exit,
};

use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    time::{ClockId, clock_gettime},
};

use crate::{NotReadable, job::Job};

/// The first argument that makes a decoder of this program.
pub(crate) const ARGUMENT: &str = "--berth-decoder";

/// The line that says that the limits hold and jobs may come.
pub(crate) const READY: &str = "berth decoder 1";

/// Descriptors: the three that every process has, the file, what is written, and what a library opens in passing.
const FILES: u64 = 16;

/// Bytes that a job may write.
const WRITTEN_BYTES: u64 = 256 << 20;

/// Turns this process into a decoder if it was started as one, and never returns then. The first thing that `main` does, before
/// there are threads, for the limits are the whole process's.
pub fn serve_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().as_deref() != Some(OsStr::new(ARGUMENT)) {
        return;
    }
    let number = |text: Option<OsString>| text?.to_str()?.parse::<u64>().ok();
    let (Some(memory), Some(cpu)) = (number(arguments.next()), number(arguments.next())) else {
        eprintln!("{ARGUMENT} is for the program itself");
        exit(2);
    };
    exit(match serve(memory, cpu) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("the decoder can't go on: {error}");
            1
        }
    });
}

fn serve(memory: u64, cpu: u64) -> io::Result<()> {
    confine(memory)?;
    // A panic is told as the job's outcome; where it was is of no use to whoever sent the file.
    panic::set_hook(Box::new(|_| {}));
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    writeln!(output, "{READY}")?;
    output.flush()?;
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        let job: Job = serde_json::from_str(&line)?;
        allow_cpu(cpu)?;
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| job.run()));
        let died = outcome.is_err();
        let outcome = outcome
            .unwrap_or_else(|_| Err(NotReadable::NotDecodable("the decoder gave up on it".to_owned())));
        serde_json::to_writer(&mut output, &outcome)?;
        writeln!(output)?;
        output.flush()?;
        if died {
            break;
        }
        line.clear();
    }
    Ok(())
}

/// SECURITY: what a decoder may take of the machine, however hostile the file. The memory is counted beyond what the program
/// itself takes, its code included.
fn confine(memory: u64) -> io::Result<()> {
    let own: u64 = std::fs::read_to_string("/proc/self/statm")?
        .split(' ')
        .next()
        .and_then(|pages| pages.parse().ok())
        .ok_or_else(|| io::Error::other("/proc/self/statm can't be read"))?;
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    limit(Resource::As, own * page + memory)?;
    limit(Resource::Nofile, FILES)?;
    limit(Resource::Fsize, WRITTEN_BYTES)?;
    limit(Resource::Core, 0)
}

/// Both limits at once: what is given up can't be taken back. One that is lower already stays.
fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let most = getrlimit(resource).maximum.map_or(most, |there| there.min(most));
    let limits = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    Ok(setrlimit(resource, limits)?)
}

/// So many seconds from now on; past them the kernel ends the process. The clock of the limit is the process's, so each job's
/// allowance begins where the last one ended.
fn allow_cpu(seconds: u64) -> io::Result<()> {
    let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec.unsigned_abs();
    let maximum = getrlimit(Resource::Cpu).maximum;
    let current = used + 1 + seconds;
    let current = Some(maximum.map_or(current, |most| most.min(current)));
    Ok(setrlimit(Resource::Cpu, Rlimit { current, maximum })?)
}
