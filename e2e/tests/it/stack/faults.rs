//! Faults that the system has, put between a service and the system.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Stack, root};

/// Words of eight bytes, as `shim.c` lays them out.
const CALLS: u64 = 0;
const FIRE_AT: u64 = 8;
const ERROR: u64 = 16;
const FIRED: u64 = 24;
const RESYNCED: u64 = 32;
const SOCKETS: u64 = 40;
const NAME: u64 = 48;
const LENGTH: u64 = 112;

/// What happens at the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails with this number.
    Error(&'static str, i64),
    /// The process is killed before it.
    Kill,
}

impl Fault {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Error(name, _) => name,
            Self::Kill => "SIGKILL",
        }
    }
}

/// Faults that can be had at will by programs that were started with [`Faults::environment`].
pub(crate) struct Faults {
    shim: PathBuf,
    path: PathBuf,
    control: File,
    root: PathBuf,
}

impl Faults {
    /// Faults of calls about what is in `root`; none where there is no C compiler.
    pub(crate) fn prepare(folder: &Path, root_of_files: &Path) -> Option<Self> {
        let (shim, path) = (folder.join("shim.so"), folder.join("faults"));
        let source = root().join("e2e/tests/it/faults/shim.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&shim, &source])
            .arg("-ldl")
            .status()
            .ok()?;
        assert!(built.success(), "{} does not compile", source.display());
        let control = File::options()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        control.set_len(LENGTH).unwrap();
        Some(Self {
            shim,
            path,
            control,
            root: root_of_files.to_owned(),
        })
    }

    pub(crate) fn environment(&self) -> [(&'static str, &Path); 3] {
        [
            ("LD_PRELOAD", &self.shim),
            ("FAULT_CONTROL", &self.path),
            ("FAULT_ROOT", &self.root),
        ]
    }

    fn set(&self, word: u64, value: i64) {
        self.control.write_all_at(&value.to_ne_bytes(), word).unwrap();
    }

    fn get(&self, word: u64) -> i64 {
        let mut value = [0; 8];
        self.control.read_exact_at(&mut value, word).unwrap();
        i64::from_ne_bytes(value)
    }

    /// The call of this number, counted from now, is the one.
    pub(crate) fn arm(&self, call: i64, fault: Fault) {
        self.disarm();
        let (error, sockets) = match fault {
            Fault::Error(_, error) => (error, 0),
            Fault::Kill => (-1, 1),
        };
        self.set(ERROR, error);
        self.set(SOCKETS, sockets);
        self.set(FIRED, 0);
        self.set(CALLS, 0);
        self.control.write_all_at(&[0; 64], NAME).unwrap();
        self.set(FIRE_AT, call);
    }

    pub(crate) fn disarm(&self) {
        self.set(FIRE_AT, 0);
    }

    pub(crate) fn has_fired(&self) -> bool {
        self.get(FIRED) == 1
    }

    /// Which call it was.
    pub(crate) fn call(&self) -> String {
        let mut name = [0; 64];
        self.control.read_exact_at(&mut name, NAME).unwrap();
        String::from_utf8_lossy(&name).trim_end_matches('\0').to_owned()
    }

    /// Descriptors that were synced again after a sync of theirs had failed: what was lost is not told a second time.
    pub(crate) fn resynced(&self) -> i64 {
        self.get(RESYNCED)
    }
}

impl Stack {
    /// Starts a service again with something more in its environment.
    pub(crate) fn restart_with(&mut self, name: &'static str, environment: &[(&str, &Path)]) {
        let (_, command) = self.commands.iter_mut().find(|(own, _)| *own == name).unwrap();
        command.envs(environment.iter().copied());
        self.kill_service(name);
        self.restart_service(name);
    }

    /// Whether a service is still there.
    pub(crate) fn lives(&mut self, name: &str) -> bool {
        let (_, service) = self.services.iter_mut().find(|(own, _)| *own == name).unwrap();
        service.child.try_wait().unwrap().is_none()
    }

    /// The program of a service with its environment, to be run with other arguments.
    pub(crate) fn command_like(&self, name: &str) -> Command {
        let (_, own) = self.commands.iter().find(|(own, _)| *own == name).unwrap();
        let mut command = Command::new(own.get_program());
        if let Some(folder) = own.get_current_dir() {
            command.current_dir(folder);
        }
        for (name, value) in own.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        super::without_our_settings(&mut command);
        command
    }
}
