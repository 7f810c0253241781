use std::{future::poll_fn, time::Duration};

use catalog::ServiceRole;
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::JoinHandle,
    time::timeout,
};
use tokio_postgres::{AsyncMessage, Client, NoTls};

use crate::TestDatabase;

/// Longer than anything takes; reached only when something is wrong.
const PATIENCE: Duration = Duration::from_secs(20);

/// A reader of images that hears of every change, as serve-svc does, and says so only when a test lets it.
#[derive(Debug)]
pub struct SlowReader {
    client: Client,
    asks: UnboundedReceiver<String>,
    connection: JoinHandle<()>,
}

impl SlowReader {
    /// Reads from here on.
    ///
    /// # Panics
    /// When Postgres does not let it.
    pub async fn of(database: &TestDatabase) -> Self {
        let (client, mut connection) = tokio_postgres::connect(&database.url_as(ServiceRole::Serve), NoTls)
            .await
            .expect("Postgres answers");
        let (sender, asks) = unbounded_channel();
        let connection = tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                if let AsyncMessage::Notification(note) = message {
                    let _gone = sender.send(note.payload().to_owned());
                }
            }
        });
        for statement in [
            "LISTEN berth_asked",
            "SELECT pg_advisory_lock_shared(1650553460, 1)",
        ] {
            client.batch_execute(statement).await.expect("anybody may");
        }
        Self {
            client,
            asks,
            connection,
        }
    }

    /// Waits until somebody asks how far it has heard, and gives the ask.
    ///
    /// # Panics
    /// When nobody does.
    pub async fn asked(&mut self) -> String {
        let ask = timeout(PATIENCE, self.asks.recv()).await;
        ask.expect("somebody asks").expect("the connection lasts")
    }

    /// Whether anybody has asked so far.
    ///
    /// # Panics
    /// When the connection breaks.
    pub async fn was_asked(&mut self) -> bool {
        let end = "the end of what was said so far";
        let say = format!("NOTIFY berth_asked, '{end}'");
        self.client.batch_execute(&say).await.expect("anybody may");
        let mut was_asked = false;
        while self.asked().await != end {
            was_asked = true;
        }
        was_asked
    }

    /// Says that it has heard of all that came before the ask.
    ///
    /// # Panics
    /// When the connection breaks.
    pub async fn answer(&self, ask: &str) {
        const SQL: &str = "SELECT pg_notify('berth_heard', $1 || ' ' || pg_backend_pid())";
        self.client.execute(SQL, &[&ask]).await.expect("anybody may");
    }
}

impl Drop for SlowReader {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
