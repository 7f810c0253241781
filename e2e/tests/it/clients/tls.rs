//! A certificate authority for one test, and the stack behind TLS.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    curl::curl,
    stack::{Stack, free_port, open_folder, root, wait_for},
};

/// An authority that signed a certificate for 127.0.0.1.
pub(super) struct Authority {
    folder: TempDir,
}

impl Authority {
    pub(super) fn new() -> Self {
        let folder = open_folder();
        let openssl = |arguments: &str| {
            let output = Command::new("openssl")
                .args(arguments.split(' '))
                .current_dir(folder.path())
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "openssl {arguments}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
        openssl(&format!(
            "req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=berth-tests"
        ));
        openssl(&format!(
            "req -x509 {key} -CA ca.pem -CAkey ca.key -keyout privkey.pem -out fullchain.pem -subj /CN=127.0.0.1 \
             -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=CA:FALSE"
        ));
        Self { folder }
    }

    /// What a client has to trust.
    pub(super) fn certificate(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The stack with the TLS sample of this project on a port of its own, and that port's `host:port`.
    pub(super) async fn start_stack(&self) -> (Stack, String) {
        let port = free_port();
        let configuration = self.configuration(port);
        let stack = Stack::start_with(&[], &root().join("web/dist"), Some(&configuration)).await;
        let host = format!("127.0.0.1:{port}");
        let authority = self.certificate();
        let authority = authority.to_str().unwrap();
        wait_for("TLS", std::time::Duration::from_secs(10), || {
            (curl(&["--cacert", authority, &format!("https://{host}/")]).status == 200).then_some(())
        });
        (stack, host)
    }

    /// `nginx/tls.conf.example`, with our paths and port; whoever comes by plain HTTP is not sent on, since the tests' links do.
    fn configuration(&self, port: u16) -> PathBuf {
        let sample = include_str!("../../../../nginx/tls.conf.example");
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let edited = sample
            .replace("listen 443 ssl;", &format!("listen 127.0.0.1:{port} ssl;"))
            .replace("listen [::]:443 ssl;", "")
            // Debian 12's nginx is older than that directive.
            .replace("\nhttp2 on;", "")
            .replace("tls/fullchain.pem", &at("fullchain.pem"))
            .replace("tls/privkey.pem", &at("privkey.pem"));
        let (kept, _) = edited.split_once("# Who comes by plain HTTP").unwrap();
        assert!(!kept.contains("\nlisten 443"), "{kept}");
        let path: &Path = self.folder.path();
        let path = path.join("tls.conf");
        std::fs::write(&path, kept).unwrap();
        path
    }
}
