//! Another database under the same services, as after a restore.

use catalog::ServiceRole;
use test_kit::TestDatabase;

use super::{Running, Stack, setup};

impl Stack {
    /// The URL of the database's owner.
    pub(crate) fn owner_url(&self) -> String {
        self.database.owner_url()
    }

    /// Takes the database away; the services, which must not run, will find this one.
    pub(crate) fn replace_database(&mut self, database: TestDatabase) {
        self.database = database;
        for (name, command) in &mut self.commands {
            let role = match *name {
                "upload-svc" => ServiceRole::Upload,
                "serve-svc" => ServiceRole::Serve,
                _ => ServiceRole::Janitor,
            };
            command.env("BERTH_DATABASE_URL", self.database.url_as(role));
        }
    }

    /// `berth setup`, as compose runs it at every `up`. The token of the first time stays.
    pub(crate) fn setup_again(&self) {
        setup(self.folder.path(), &self.database.owner_url());
    }

    /// Starts all services that were stopped.
    pub(crate) fn start_services(&mut self) {
        for (name, command) in &mut self.commands {
            let log = self.folder.path().join(format!("{name}.log"));
            let (_, service) = self.services.iter_mut().find(|(own, _)| own == name).unwrap();
            *service = Running::start(command, &log);
        }
        for (name, url) in &self.metrics {
            self.wait_ready(name, &format!("{url}/health/ready"));
        }
    }
}
