//! The real thing, as compose runs it: Postgres, `berth setup`, upload-svc, serve-svc, janitor, and nginx with the project's own
//! configuration in front, all in a folder that goes away.

mod faults;
mod kill;
mod replace;
mod restore;

use std::{
    fs::File,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use catalog::ServiceRole;
pub(crate) use faults::{Fault, Faults};
use tempfile::TempDir;
use test_kit::TestDatabase;

use crate::curl::{Answer, curl};

/// The programs must have been built: `make test` does, and so does `cargo build --workspace`.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join(name);
    assert!(
        path.is_file(),
        "{} is not built: run `cargo build --workspace` first",
        path.display()
    );
    path
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A port that nobody has right now, and that neither another test nor a client's connection is given meanwhile: each is given once, and they are below those
/// that the system gives to clients. (One that was given twice: a service could not begin, and the other's answer was taken for its own.)
pub(crate) fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const PORTS: u32 = 22_000;
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Two runs beside each other begin at different places.
    let begin = std::process::id() * 97;
    loop {
        let next = begin.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % PORTS;
        let port = u16::try_from(FIRST + next).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A folder that other users may enter: nginx's workers and Postgres are others when the tests run as root.
pub(crate) fn open_folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("berth-e2e-").tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// Takes away the settings of berth that whoever runs the tests has in their environment.
pub(crate) fn without_our_settings(command: &mut Command) {
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("BERTH_")
            && !command.get_envs().any(|(own, _)| own == variable)
        {
            command.env_remove(variable);
        }
    }
}

/// A child that ends with the value.
pub(crate) struct Running {
    pub(crate) child: Child,
    name: String,
}

impl Running {
    pub(crate) fn start(command: &mut Command, log: &Path) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let log = File::options().create(true).append(true).open(log).unwrap();
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        without_our_settings(command);
        let child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { child, name }
    }

    /// SIGTERM, and the exit code once it is gone.
    pub(crate) fn terminate(&mut self, within: Duration) -> Option<i32> {
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(asked.success(), "{} was gone already", self.name);
        let status = wait_for(&format!("the end of {}", self.name), within, || {
            self.child.try_wait().unwrap()
        });
        status.code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().ok().flatten().is_none() {
            // nginx's master must take its workers along, so no SIGKILL at first.
            let _ = Command::new("kill")
                .args(["-TERM", &self.child.id().to_string()])
                .status();
            let end = Instant::now() + Duration::from_secs(8);
            while Instant::now() < end && self.child.try_wait().ok().flatten().is_none() {
                std::thread::sleep(Duration::from_millis(10));
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Asks until something is there; panics when it takes too long.
pub(crate) fn wait_for<T>(what: &str, within: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + within;
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < end, "waited {within:?} in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) struct Stack {
    // Dropped in this order: nginx first, the database last.
    nginx: Running,
    pub(crate) services: Vec<(&'static str, Running)>,
    commands: Vec<(&'static str, Command)>,
    pub(crate) folder: TempDir,
    pub(crate) url: String,
    pub(crate) token: String,
    metrics: Vec<(&'static str, String)>,
    database: TestDatabase,
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const ADMIN_PASSWORD: &str = "a-password-of-the-tests";
const START: Duration = Duration::from_secs(30);

impl Stack {
    /// Starts everything; blog.example and *.friends.example may embed.
    pub(crate) async fn start(extra: &[(&str, &str)]) -> Self {
        Self::start_with(extra, &root().join("web/dist"), None).await
    }

    /// The same, with the page of a folder, and a file for nginx's `tls` folder.
    pub(crate) async fn start_with(extra: &[(&str, &str)], page: &Path, tls: Option<&Path>) -> Self {
        let database = TestDatabase::create_apart_empty().await;
        let folder = open_folder();
        let path = folder.path().to_owned();
        let port = free_port();
        let url = format!("http://127.0.0.1:{port}");
        let token = setup(&path, &database.owner_url());
        let mut services = Vec::new();
        let mut commands = Vec::new();
        let mut metrics = Vec::new();
        for (name, role) in [
            ("upload-svc", ServiceRole::Upload),
            ("serve-svc", ServiceRole::Serve),
            ("janitor", ServiceRole::Janitor),
        ] {
            let metrics_url = format!("127.0.0.1:{}", free_port());
            let mut command = Command::new(program(name));
            command.current_dir(&path).envs([
                ("BERTH_BASE_URL", url.as_str()),
                ("BERTH_DATA", path.to_str().unwrap()),
                ("BERTH_DATABASE_URL", &database.url_as(role)),
                ("BERTH_SECRET", SECRET),
                (
                    "BERTH_LISTEN",
                    &format!("unix:{}", path.join(format!("{name}.sock")).display()),
                ),
                ("BERTH_METRICS_LISTEN", &metrics_url),
                ("BERTH_HOTLINK_ALLOW", "blog.example,*.friends.example"),
                ("BERTH_DELIVERY", "accel"),
                ("BERTH_LOG_FORMAT", "json"),
            ]);
            if name == "janitor" {
                command.env_remove("BERTH_LISTEN");
            }
            command.envs(extra.iter().copied());
            services.push((
                name,
                Running::start(&mut command, &path.join(format!("{name}.log"))),
            ));
            commands.push((name, command));
            metrics.push((name, format!("http://{metrics_url}")));
        }
        let nginx = start_nginx(&path, port, page, tls);
        let stack = Self {
            nginx,
            services,
            commands,
            folder,
            url,
            token,
            metrics,
            database,
        };
        for (name, url) in &stack.metrics {
            stack.wait_ready(name, &format!("{url}/health/ready"));
        }
        stack.wait_ready("nginx", &format!("{}/", stack.url));
        stack
    }

    fn wait_ready(&self, name: &str, url: &str) {
        let log =
            || std::fs::read_to_string(self.folder.path().join(format!("{name}.log"))).unwrap_or_default();
        let end = Instant::now() + START;
        while curl(&[url]).status != 200 {
            assert!(Instant::now() < end, "{name} is not ready:\n{}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
        if let Some((_, service)) = self.services.iter().find(|(own, _)| *own == name) {
            let state = std::fs::read_to_string(format!("/proc/{}/stat", service.child.id())).unwrap();
            assert!(
                !state.contains(") Z "),
                "{name} is gone, and another answers:\n{}",
                log()
            );
        }
    }

    /// Uploads a file by the native API and gives the image.
    pub(crate) fn upload(&self, file: &Path, options: &[&str]) -> serde_json::Value {
        let answer = self.post(file, options);
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        answer.json()["images"][0].clone()
    }

    pub(crate) fn post(&self, file: &Path, options: &[&str]) -> Answer {
        let (bearer, file) = (
            format!("Authorization: Bearer {}", self.token),
            format!("file=@{}", file.display()),
        );
        let url = format!("{}/v1/images", self.url);
        let mut arguments = vec!["-H", &bearer, "-F", &file];
        for option in options {
            arguments.extend(["-F", option]);
        }
        arguments.push(&url);
        curl(&arguments)
    }

    pub(crate) fn describe(&self, id: &str) -> Answer {
        let bearer = format!("Authorization: Bearer {}", self.token);
        curl(&["-H", &bearer, &format!("{}/v1/images/{id}", self.url)])
    }

    /// `/metrics` of a service.
    pub(crate) fn metrics(&self, service: &str) -> String {
        let (_, url) = self.metrics.iter().find(|(name, _)| *name == service).unwrap();
        curl(&[&format!("{url}/metrics")]).text()
    }

    pub(crate) fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// Puts rows where no upload would come to an end in time.
    pub(crate) async fn sql(&self, statements: &str) {
        let client = self.database.connect().await;
        client.batch_execute(statements).await.unwrap();
    }

    pub(crate) async fn stop_database(&mut self) {
        self.database.stop().await;
    }

    pub(crate) async fn start_database(&mut self) {
        self.database.start().await;
    }

    /// Ends nginx and the services in order, and says how each ended.
    pub(crate) fn stop(&mut self) -> Vec<(&'static str, Option<i32>)> {
        let mut ends = vec![("nginx", self.nginx.terminate(Duration::from_secs(10)))];
        for (name, service) in &mut self.services {
            ends.push((*name, service.terminate(Duration::from_secs(10))));
        }
        ends
    }
}

/// What compose's one-shot does, and then a token, by the real command line.
fn setup(folder: &Path, owner_url: &str) -> String {
    let berth = |arguments: &[&str]| {
        let mut command = Command::new(program("berth"));
        command.current_dir(folder).args(arguments).envs([
            ("BERTH_DATABASE_URL", owner_url),
            ("BERTH_DB_UPLOAD_PASSWORD", SECRET),
            ("BERTH_DB_SERVE_PASSWORD", SECRET),
            ("BERTH_DB_JANITOR_PASSWORD", SECRET),
            ("BERTH_ADMIN_PASSWORD", ADMIN_PASSWORD),
        ]);
        without_our_settings(&mut command);
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "berth {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    berth(&["setup"]);
    assert!(
        berth(&["setup"]).contains("There are accounts already"),
        "safe to repeat"
    );
    berth(&["token", "create", "--account", "admin"])
}

/// The project's own nginx configuration, rendered as its script renders it.
fn start_nginx(folder: &Path, port: u16, page: &Path, tls: Option<&Path>) -> Running {
    let configuration = folder.join("nginx");
    let rendered = Command::new(root().join("scripts/render-nginx.sh"))
        .arg(&configuration)
        .envs([
            ("BERTH_NGINX_LISTEN", format!("127.0.0.1:{port}")),
            (
                "BERTH_NGINX_METRICS_LISTEN",
                format!("unix:{}", folder.join("nginx-metrics.sock").display()),
            ),
            (
                "BERTH_NGINX_ACCESS_LOG",
                folder.join("access.log").display().to_string(),
            ),
            (
                "BERTH_UPLOAD_UPSTREAM",
                format!("unix:{}", folder.join("upload-svc.sock").display()),
            ),
            (
                "BERTH_SERVE_UPSTREAM",
                format!("unix:{}", folder.join("serve-svc.sock").display()),
            ),
            ("BERTH_BLOBS", folder.join("blobs").display().to_string()),
            ("BERTH_WEB", page.display().to_string()),
        ])
        .status()
        .unwrap();
    assert!(rendered.success());
    if let Some(tls) = tls {
        std::fs::copy(tls, configuration.join("tls/tls.conf")).unwrap();
    }
    let prefix = folder.join("nginx-prefix");
    std::fs::create_dir(&prefix).unwrap();
    // As root the workers would be `nobody`, who may not use sockets of mode 0660.
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let user = if is_root { "user root; " } else { "" };
    let mut command = Command::new("nginx");
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command
        .arg("-p")
        .arg(&prefix)
        .arg("-c")
        .arg(configuration.join("nginx.conf"));
    command.args(["-g", &format!("{user}daemon off;")]);
    Running::start(&mut command, &folder.join("nginx.log"))
}
