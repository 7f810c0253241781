use std::{
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};

use crate::{
    Asked, Inspection, NotReadable, NotRenderable, Output, RenderedFiles,
    decoder::{ARGUMENT, READY},
    job::{Done, Job},
};

/// Jobs that one process does before a fresh one takes its place, so that nothing a library leaks adds up.
const JOBS_A_PROCESS: u32 = 256;
/// How long a process waits for its next job before it goes.
const IDLE: Duration = Duration::from_secs(20);
/// How long a process may take to be ready. A machine that is busy takes its time.
const START: Duration = Duration::from_secs(10);
/// Bytes of one answer.
const LONGEST_ANSWER: u64 = 4 << 20;

/// What decoders may take.
#[derive(Debug, Clone)]
pub struct DecoderLimits {
    /// The program that is started, which calls [`serve_if_asked`](crate::serve_if_asked) first; the running one by default.
    pub program: PathBuf,
    /// Bytes of memory that one process may take beyond the program itself.
    pub memory_bytes: u64,
    /// Processor time of one job, in whole seconds.
    pub cpu: Duration,
    /// Time of one job, whatever it does.
    pub wall: Duration,
    /// Processes that work at once.
    pub at_once: usize,
}

impl Default for DecoderLimits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            // The program that runs, even when its file has been replaced since.
            program: PathBuf::from("/proc/self/exe"),
            memory_bytes: 256 << 20,
            cpu: Duration::from_secs(5),
            wall: Duration::from_secs(10),
            at_once: 2 * cores,
        }
    }
}

/// Why a job was not done.
#[derive(Debug, thiserror::Error)]
pub enum Undone {
    /// The file is at fault.
    #[error(transparent)]
    File(#[from] NotReadable),
    /// We are: no decoder could be started.
    #[error("no decoder could be started")]
    Unavailable(#[source] std::io::Error),
}

/// A decoder that answers another question than it was asked is none of ours.
fn strange(answer: &Done) -> Undone {
    Undone::Unavailable(std::io::Error::other(format!("a decoder answered {answer:?}")))
}

/// A bounded pool of decoder processes. Cloning shares it.
///
/// SECURITY: whatever a file makes of its decoder (an abort, a panic, no memory left, an endless loop) ends that process and is
/// told as the file's fault; nothing else notices. A future that is dropped takes its process along.
#[derive(Debug, Clone)]
pub struct Decoders(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    limits: DecoderLimits,
    seats: Semaphore,
    idle: Mutex<Vec<Decoder>>,
}

#[derive(Debug)]
struct Decoder {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    jobs: u32,
    idle_since: Instant,
}

/// How a job ended that gave no answer.
enum End {
    /// The process took longer than it may.
    Late,
    /// The process died.
    Died,
}

impl Decoders {
    /// Starts no process yet: the first job does.
    #[must_use]
    pub fn new(limits: DecoderLimits) -> Self {
        Self(Arc::new(Pool {
            seats: Semaphore::new(limits.at_once.max(1)),
            idle: Mutex::default(),
            limits,
        }))
    }

    /// Looks into a file.
    pub async fn inspect(&self, path: PathBuf, asked: Asked) -> Result<Inspection, Undone> {
        match self.run(&Job::Inspect { path, asked }).await? {
            Done::Inspected(inspection) => Ok(*inspection),
            other @ Done::Rendered(_) => Err(strange(&other)),
        }
    }

    /// Makes variants of a picture.
    pub async fn render(
        &self,
        path: PathBuf,
        outputs: Vec<Output>,
    ) -> Result<Result<RenderedFiles, NotRenderable>, Undone> {
        match self.run(&Job::Render { path, outputs }).await? {
            Done::Rendered(outcome) => Ok(*outcome),
            other @ Done::Inspected(_) => Err(strange(&other)),
        }
    }

    /// Does a job, when a seat is free.
    pub async fn run(&self, job: &Job) -> Result<Done, Undone> {
        let mut line = serde_json::to_vec(job).map_err(|error| Undone::Unavailable(error.into()))?;
        line.push(b'\n');
        let _seat = self
            .0
            .seats
            .acquire()
            .await
            .map_err(|closed| Undone::Unavailable(std::io::Error::other(closed)))?;
        loop {
            let mut decoder = self.decoder().await?;
            match decoder.answer(&line, self.0.limits.wall).await {
                Ok(outcome) => {
                    let is_whole = !matches!(&outcome, Err(NotReadable::NotDecodable(_)));
                    if is_whole && decoder.jobs < JOBS_A_PROCESS {
                        self.keep(decoder);
                    }
                    return Ok(outcome?);
                }
                Err(End::Late) => return Err(NotReadable::TookTooLong.into()),
                // It may have died of what it did before, or been ended with others when memory was short: another one decides.
                Err(End::Died) if decoder.jobs > 1 => {}
                Err(End::Died) => return Err(decoder.cause().await.into()),
            }
        }
    }

    async fn decoder(&self) -> Result<Decoder, Undone> {
        let idle = || self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        while let Some(mut decoder) = idle() {
            if matches!(decoder.child.try_wait(), Ok(None)) {
                return Ok(decoder);
            }
        }
        Decoder::start(&self.0.limits).await.map_err(Undone::Unavailable)
    }

    fn keep(&self, mut decoder: Decoder) {
        decoder.idle_since = Instant::now();
        let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(decoder);
        drop(idle);
        let pool = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            sleep(IDLE).await;
            if let Some(pool) = pool.upgrade() {
                let mut idle = pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
                idle.retain(|decoder| decoder.idle_since.elapsed() < IDLE);
            }
        });
    }
}

impl Decoder {
    async fn start(limits: &DecoderLimits) -> std::io::Result<Self> {
        let mut command = std::process::Command::new(&limits.program);
        command
            .arg0("berth-decoder")
            .arg(ARGUMENT)
            .arg(limits.memory_bytes.to_string())
            .arg(limits.cpu.as_secs().max(1).to_string())
            // SECURITY: no secret of ours is in its environment. One arena, lest threads' arenas eat the address space.
            .env_clear()
            .env("MALLOC_ARENA_MAX", "1")
            // Ctrl-C in a terminal is for us; a decoder ends when its input does.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = Command::from(command).kill_on_drop(true).spawn()?;
        let gone = || std::io::Error::other("the decoder has no pipes");
        let mut decoder = Self {
            input: child.stdin.take().ok_or_else(gone)?,
            output: BufReader::new(child.stdout.take().ok_or_else(gone)?),
            child,
            jobs: 0,
            idle_since: Instant::now(),
        };
        match timeout(START, decoder.line()).await {
            Ok(Ok(line)) if line.trim_ascii_end() == READY.as_bytes() => Ok(decoder),
            Ok(Err(error)) => Err(error),
            _ => Err(std::io::Error::other(format!(
                "{} is not ready to decode",
                limits.program.display()
            ))),
        }
    }

    async fn line(&mut self) -> std::io::Result<Vec<u8>> {
        let mut line = Vec::new();
        (&mut self.output)
            .take(LONGEST_ANSWER)
            .read_until(b'\n', &mut line)
            .await?;
        Ok(line)
    }

    async fn answer(&mut self, job: &[u8], wall: Duration) -> Result<Result<Done, NotReadable>, End> {
        self.jobs += 1;
        let asking = async {
            self.input.write_all(job).await?;
            self.line().await
        };
        let line = timeout(wall, asking).await.map_err(|_| End::Late)?;
        serde_json::from_slice(&line.map_err(|_| End::Died)?).map_err(|_| End::Died)
    }

    /// What a process died of.
    async fn cause(&mut self) -> NotReadable {
        const OUT_OF_CPU: i32 = rustix::process::Signal::XCPU.as_raw();
        let _is_gone_already = self.child.start_kill();
        match self.child.wait().await.ok().and_then(|status| status.signal()) {
            Some(OUT_OF_CPU) => NotReadable::TookTooLong,
            _ => NotReadable::NotDecodable(
                "it needs more memory than a decoder has, or makes it break down".to_owned(),
            ),
        }
    }
}
