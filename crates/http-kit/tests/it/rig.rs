//! A server on a port of its own with short limits, and a client that speaks bytes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use http::StatusCode;
use http_kit::{
    ConnectionLimits, Language, ListenAddress, Listener, Metrics, Problem, RequestIds, ServeOutcome,
    StackSettings, body_fault, get, get_or_head, one_of, post, read_body, route, serve, stack,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use warp::filters::BoxedFilter;
use warp::{Buf, Filter, Reply};

/// The short limit that tests use where the product has seconds.
pub(crate) const SHORT: Duration = Duration::from_millis(300);

/// Far more than anything here takes; a test that meets it has failed.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) struct Rig {
    pub(crate) address: ListenAddress,
    pub(crate) metrics: Metrics,
    pub(crate) stop: CancellationToken,
    /// `/gate` answers once for each permit added here.
    pub(crate) gate: Arc<Semaphore>,
    pub(crate) server: JoinHandle<ServeOutcome>,
}

impl Rig {
    pub(crate) async fn start(limits: ConnectionLimits, settings: StackSettings) -> Self {
        Self::start_at(&ListenAddress::Tcp("127.0.0.1:0".to_owned()), limits, settings).await
    }

    pub(crate) async fn start_at(
        address: &ListenAddress,
        limits: ConnectionLimits,
        settings: StackSettings,
    ) -> Self {
        let listener = Listener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (metrics, stop, gate) = (
            Metrics::new(),
            CancellationToken::new(),
            Arc::new(Semaphore::new(0)),
        );
        let service = stack(routes(gate.clone()), settings, &metrics);
        let server = tokio::spawn(serve(listener, service, limits, stop.clone()));
        Self {
            address,
            metrics,
            stop,
            gate,
            server,
        }
    }

    pub(crate) async fn defaults() -> Self {
        Self::start(ConnectionLimits::default(), settings()).await
    }

    pub(crate) async fn connect(&self) -> Client {
        Client::connect(&self.address).await
    }

    pub(crate) async fn ask(&self, request: &str) -> Answer {
        let mut client = self.connect().await;
        client.send(request.as_bytes()).await;
        client.answer().await
    }
}

pub(crate) fn settings() -> StackSettings {
    StackSettings::new(Arc::new(RequestIds::new([1; 16])))
}

fn routes(gate: Arc<Semaphore>) -> BoxedFilter<(warp::reply::Response,)> {
    let ping = route("ping", warp::path!("ping").and(get_or_head()).map(|| "pong"));
    let who = warp::path!("who")
        .and(get())
        .and(warp::ext::get::<http_kit::ClientAddress>())
        .map(|client: http_kit::ClientAddress| client.to_string().into_response())
        .boxed();
    let panic = warp::path!("panic")
        .and(get())
        .map(|| -> warp::reply::Response { panic!("on purpose") })
        .boxed();
    let waiting = warp::path!("gate")
        .and(get())
        .then(move || {
            let gate = gate.clone();
            async move {
                gate.acquire().await.unwrap().forget();
                "opened".into_response()
            }
        })
        .boxed();
    let refuse = warp::path!("refuse")
        .and(post())
        .map(|| Problem::new(StatusCode::UNAUTHORIZED, "who-are-you", "Who are you?").into_response())
        .boxed();
    let upload = warp::path!("upload")
        .and(post())
        .and(warp::body::stream())
        .then(upload)
        .boxed();
    let form = warp::path!("form")
        .and(post())
        .and(warp::body::stream())
        .then(|body| async {
            match read_body(body, 10).await {
                Ok(bytes) => format!("{} bytes", bytes.len()).into_response(),
                Err(fault) => fault.problem(Language::En).into_response(),
            }
        })
        .boxed();
    one_of(vec![streams(), form, ping, who, panic, waiting, refuse, upload])
}

fn streams() -> BoxedFilter<(warp::reply::Response,)> {
    let big = warp::path!("big")
        .and(get())
        .map(|| {
            let piece = bytes::Bytes::from(vec![b'x'; 256 << 10]);
            let pieces = stream::repeat_with(move || Ok::<_, std::io::Error>(piece.clone())).take(256);
            warp::reply::stream(pieces).into_response()
        })
        .boxed();
    let streamed = warp::path!("stream" / String)
        .and(get())
        .map(|kind: String| {
            let pieces = stream::iter(["pie", "ce!"]).map(Ok::<_, std::io::Error>);
            let mut response = warp::reply::stream(pieces).into_response();
            if kind == "sized" {
                response.headers_mut().insert("content-length", 6.into());
            }
            response
        })
        .boxed();
    one_of(vec![big, streamed])
}

async fn upload<S, D>(body: S) -> warp::reply::Response
where
    S: futures_util::Stream<Item = Result<D, warp::Error>>,
    D: Buf,
{
    let mut body = std::pin::pin!(body);
    let mut bytes = 0;
    while let Some(piece) = body.next().await {
        match piece {
            Ok(piece) => bytes += piece.remaining(),
            Err(error) => {
                let fault = body_fault(&error).expect("a body's error names its fault");
                return fault
                    .problem(Language::En)
                    .detail(format!("{fault:?}"))
                    .into_response();
            }
        }
    }
    format!("{bytes} bytes").into_response()
}

trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Socket for T {}

pub(crate) struct Client {
    socket: Box<dyn Socket>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Client {
    pub(crate) async fn connect(address: &ListenAddress) -> Self {
        let socket: Box<dyn Socket> = match address {
            ListenAddress::Tcp(address) => Box::new(TcpStream::connect(address.as_str()).await.unwrap()),
            ListenAddress::Unix(path) => Box::new(UnixStream::connect(path).await.unwrap()),
        };
        Self::over(socket)
    }

    pub(crate) fn over(socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Self {
        Self {
            socket: Box::new(socket),
            buffer: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).await.unwrap();
    }

    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        tokio::time::timeout(LONG, self.socket.write_all(bytes))
            .await
            .expect("the server takes bytes")
    }

    /// Reads one answer that has a Content-Length or is chunked.
    pub(crate) async fn answer(&mut self) -> Answer {
        tokio::time::timeout(LONG, self.read_answer())
            .await
            .expect("an answer in time")
    }

    async fn read_answer(&mut self) -> Answer {
        let end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at + 4;
            }
            assert!(
                self.read_more().await > 0,
                "closed before an answer: {:?}",
                String::from_utf8_lossy(&self.buffer)
            );
        };
        let head = String::from_utf8(self.buffer.drain(..end).collect()).unwrap();
        let mut answer = Answer {
            status: head[9..12].parse().unwrap(),
            head,
            body: String::new(),
        };
        let length: usize = answer
            .header("content-length")
            .map_or(0, |length| length.parse().unwrap());
        while self.buffer.len() < length {
            assert!(self.read_more().await > 0, "closed within a body");
        }
        answer.body = String::from_utf8(self.buffer.drain(..length).collect()).unwrap();
        answer
    }

    /// Reads once, without waiting for more.
    pub(crate) async fn read_more(&mut self) -> usize {
        let mut piece = [0; 4096];
        let read = self.socket.read(&mut piece).await.unwrap_or(0);
        self.buffer.extend_from_slice(&piece[..read]);
        read
    }

    /// Reads once, at most so many bytes, and forgets them.
    pub(crate) async fn skip(&mut self, most: usize) -> usize {
        self.socket.read(&mut vec![0; most]).await.unwrap_or(0)
    }

    /// Reads to the connection's end (a reset is an end too) and says how long that took and what came.
    pub(crate) async fn until_closed(&mut self) -> (Duration, Vec<u8>) {
        let began = Instant::now();
        let reading = async { while self.read_more().await > 0 {} };
        tokio::time::timeout(LONG, reading)
            .await
            .expect("the connection is closed");
        (began.elapsed(), std::mem::take(&mut self.buffer))
    }
}

pub(crate) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}
