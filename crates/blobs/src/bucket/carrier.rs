//! What carries requests to the store: hyper's client with rustls and Mozilla's roots, as the janitor's hook has it. It follows no
//! redirect and reads no proxy from its environment.

use std::{
    error::Error,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::Method;
use http_body::{Body, Frame, SizeHint};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, Error as ClientError, connect::HttpConnector as TcpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
        HttpResponseBody, HttpService,
    },
};
use tokio::time::{Sleep, sleep, timeout};

/// How long one kind of caller waits for a store that does not answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For a connection.
    pub(super) connect: Duration,
    /// For the head of an answer, besides the time that the request's bytes may take.
    pub(super) answer: Duration,
    /// For the next bytes of an answer.
    pub(super) idle: Duration,
}

/// The slowest line that a request's bytes are given time for, in bytes a second.
const SLOWEST_LINE: u64 = 128 << 10;
/// How long a server may take to put the parts of a large file together. A row is locked meanwhile, for no longer than the database bears.
const COMPLETION: Duration = Duration::from_secs(40);
/// Connections that wait for their next request.
const IDLE_CONNECTIONS: usize = 32;
const IDLE_FOR: Duration = Duration::from_secs(20);

type Carrier = Client<HttpsConnector<TcpConnector>, HttpRequestBody>;

#[derive(Debug)]
pub(super) struct Connector(pub(super) Patience);

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        let mut tcp = TcpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(self.0.connect));
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let carrier = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_FOR)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(connector);
        Ok(HttpClient::new(Service {
            carrier,
            patience: self.0,
        }))
    }
}

#[derive(Debug)]
struct Service {
    carrier: Carrier,
    patience: Patience,
}

#[async_trait::async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let length = request.body().content_length() as u64;
        let limit = if is_completion(&request) {
            COMPLETION
        } else {
            self.patience.answer + Duration::from_secs(length / SLOWEST_LINE)
        };
        let idle = self.patience.idle;
        let answer = timeout(limit, self.carrier.request(request))
            .await
            .map_err(|_| timed_out())?
            .map_err(of_client)?;
        Ok(answer.map(|body| {
            HttpResponseBody::new(Impatient {
                body,
                idle,
                silent: None,
            })
        }))
    }
}

/// Whether a server is asked to put parts together, which some do by copying them.
fn is_completion(request: &HttpRequest) -> bool {
    let query = request.uri().query().unwrap_or_default();
    request.method() == Method::POST && query.contains("uploadId=")
}

/// A body that ends with an error when its sender is silent for too long. Time that its reader takes does not count.
#[derive(Debug)]
struct Impatient<B> {
    body: B,
    idle: Duration,
    silent: Option<Pin<Box<Sleep>>>,
}

impl<B> Body for Impatient<B>
where
    B: Body<Data = Bytes, Error: Error + Send + Sync + 'static> + Unpin,
{
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            this.silent = None;
            let broken = |error| HttpError::new(HttpErrorKind::Interrupted, error);
            return Poll::Ready(frame.map(|frame| frame.map_err(broken)));
        }
        let idle = this.idle;
        let silent = this.silent.get_or_insert_with(|| Box::pin(sleep(idle)));
        silent.as_mut().poll(context).map(|()| Some(Err(timed_out())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn timed_out() -> HttpError {
    HttpError::new(HttpErrorKind::Timeout, io::Error::from(io::ErrorKind::TimedOut))
}

/// Tells what was never sent, and may be sent again whatever it is, from what may have arrived.
fn of_client(error: ClientError) -> HttpError {
    let kind = if error.is_connect() {
        HttpErrorKind::Connect
    } else {
        HttpErrorKind::Interrupted
    };
    HttpError::new(kind, error)
}
