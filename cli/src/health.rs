use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::Failure;

/// A health check that takes longer has failed.
const DEADLINE: Duration = Duration::from_secs(4);

/// Asks a URL with a plain GET; anything but 200 is a failure. Containers check themselves with it: their images hold no curl.
pub(crate) async fn ask(url: &str) -> Result<(), Failure> {
    let rest = url
        .strip_prefix("http://")
        .ok_or("expected a URL that begins with http://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    let asking = async {
        let mut connection = TcpStream::connect(authority).await?;
        connection.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        connection.take(64 << 10).read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = timeout(DEADLINE, asking)
        .await
        .map_err(|_| format!("{url} did not answer in time"))??;
    if answer.starts_with("HTTP/1.1 200 ") {
        return Ok(());
    }
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Err(format!("{url}: {} {body}", answer.lines().next().unwrap_or("no answer")).into())
}
