use std::{future::poll_fn, sync::Arc, time::Duration};

use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::JoinHandle,
    time::timeout,
};
use tokio_postgres::{AsyncMessage, Client, NoTls, Notification};

use crate::{Catalog, Error};

/// How often a silent connection is asked whether it is still there: a server that was cut off without a word never
/// closes it.
const KEEPALIVE: Duration = Duration::from_secs(5);

/// A connection of its own that listens, and may speak. Dropping it closes it.
pub(crate) struct Ear {
    pub(crate) client: Arc<Client>,
    notes: UnboundedReceiver<Notification>,
    connection: JoinHandle<Result<(), tokio_postgres::Error>>,
    operation: &'static str,
}

impl Ear {
    /// Listens on these channels from here on.
    pub(crate) async fn open(
        catalog: &Catalog,
        operation: &'static str,
        channels: &[&str],
    ) -> Result<Self, Error> {
        let (client, mut connection) = catalog
            .config()
            .connect(NoTls)
            .await
            .map_err(Error::statement(operation))?;
        let (sender, notes) = unbounded_channel();
        // The connection only moves while it is polled, so asking and polling go side by side.
        let connection = tokio::spawn(async move {
            loop {
                match poll_fn(|context| connection.poll_message(context)).await {
                    Some(Ok(AsyncMessage::Notification(note))) => drop(sender.send(note)),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error),
                    None => return Ok(()),
                }
            }
        });
        let ear = Self {
            client: Arc::new(client),
            notes,
            connection,
            operation,
        };
        let listen: Vec<String> = channels.iter().map(|name| format!("LISTEN {name}")).collect();
        ear.in_time(ear.client.batch_execute(&listen.join("; "))).await?;
        Ok(ear)
    }

    /// What is told next. The connection is over where it is an error.
    pub(crate) async fn hear(&mut self) -> Result<Notification, Error> {
        loop {
            match timeout(KEEPALIVE, self.notes.recv()).await {
                Ok(Some(note)) => return Ok(note),
                Ok(None) => return Err(self.end().await),
                Err(_silence) => drop(self.in_time(self.client.simple_query("SELECT 1")).await?),
            }
        }
    }

    /// What has been told already, if anything has.
    pub(crate) fn hear_now(&mut self) -> Option<Notification> {
        self.notes.try_recv().ok()
    }

    /// The answer to a question on this connection, which is dead where none comes.
    pub(crate) async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Error> {
        timeout(KEEPALIVE, answer)
            .await
            .map_err(|late| Error::row(self.operation, late))?
            .map_err(Error::statement(self.operation))
    }

    /// Why nothing is told any more.
    async fn end(&mut self) -> Error {
        match (&mut self.connection).await {
            Ok(Err(error)) => Error::statement(self.operation)(error),
            _ => Error::row(self.operation, "the connection was closed"),
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
