//! A service that is replaced as `docs/OPERATIONS.md` says: the next process takes the socket of the one before, which then ends.

use std::time::Duration;

use super::{Running, Stack, free_port};

impl Stack {
    /// The next process of a service beside the one that runs; when it is ready the other one is told to end, and waited for.
    pub(crate) fn replace_service(&mut self, name: &'static str) {
        let metrics = format!("127.0.0.1:{}", free_port());
        let (_, command) = self.commands.iter_mut().find(|(own, _)| *own == name).unwrap();
        command
            .env("BERTH_METRICS_LISTEN", &metrics)
            .env("BERTH_TAKE_OVER", "on");
        let next = Running::start(command, &self.folder.path().join(format!("{name}.log")));
        let url = format!("http://{metrics}");
        self.wait_ready(name, &format!("{url}/health/ready"));
        let (_, known) = self.metrics.iter_mut().find(|(own, _)| *own == name).unwrap();
        *known = url;
        let (_, service) = self.services.iter_mut().find(|(own, _)| *own == name).unwrap();
        let mut before = std::mem::replace(service, next);
        assert_eq!(before.terminate(Duration::from_secs(30)), Some(0), "{name}");
    }
}
