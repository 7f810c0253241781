//! Ends that nobody announces.

use std::time::{Duration, Instant};

use super::{Running, Stack};

/// How long to look out for a fold; there is one a second while anybody looks at pictures.
const A_FOLD: Duration = Duration::from_secs(3);

impl Stack {
    /// SIGKILL, and it is gone.
    pub(crate) fn kill_service(&mut self, name: &str) {
        let (_, service) = self.services.iter_mut().find(|(own, _)| *own == name).unwrap();
        service.child.kill().unwrap();
        service.child.wait().unwrap();
    }

    /// Starts a service that was killed, as a supervisor would.
    pub(crate) fn restart_service(&mut self, name: &'static str) {
        let (_, command) = self.commands.iter_mut().find(|(own, _)| *own == name).unwrap();
        let log = self.folder.path().join(format!("{name}.log"));
        let (_, service) = self.services.iter_mut().find(|(own, _)| *own == name).unwrap();
        *service = Running::start(command, &log);
        let (_, url) = self.metrics.iter().find(|(own, _)| *own == name).unwrap();
        self.wait_ready(name, &format!("{url}/health/ready"));
    }

    /// Kills Postgres with all its processes.
    pub(crate) async fn kill_database(&mut self) {
        self.database.kill().await;
    }

    /// Stops all of Postgres where it is, until the value goes: whoever asks hears nothing.
    pub(crate) async fn freeze_database(&self) -> test_kit::Frozen {
        self.database.freeze().await
    }

    /// The owner's connection, to see behind the product's back.
    pub(crate) async fn connect_database(&self) -> tokio_postgres::Client {
        self.database.connect().await
    }

    /// Returns while serve-svc's transaction is under way, or after a while without any.
    pub(crate) async fn wait_for_a_fold(&self) {
        const SQL: &str =
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'berth_serve' AND xact_start IS NOT NULL";
        let owner = self.connect_database().await;
        let end = Instant::now() + A_FOLD;
        while Instant::now() < end {
            let under_way: i64 = owner.query_one(SQL, &[]).await.unwrap().get(0);
            if under_way > 0 {
                return;
            }
        }
    }

    /// Ends the services in order, nginx stays; says how each ended.
    pub(crate) fn stop_services(&mut self) -> Vec<Option<i32>> {
        let services = self.services.iter_mut();
        services
            .map(|(_, service)| service.terminate(Duration::from_secs(10)))
            .collect()
    }
}
