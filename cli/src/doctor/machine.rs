//! What is on this machine: the database, the store, the services' health.

use std::{fs, io, os::unix::fs::MetadataExt as _, path::Path};

use catalog::{Catalog, CatalogSettings};
use jiff::Timestamp;

use super::Findings;
use crate::{client::words::size, health as health_check};

/// Clocks that differ by more make links expire early or late, and tokens not good yet.
const LARGEST_DIFFERENCE_SECONDS: i64 = 5;
/// Less room than this and uploads are soon refused.
const LITTLE_ROOM: u64 = 5 << 30;
const NO_ROOM: u64 = 512 << 20;

/// Whether the database answers, knows our tables, and has our time.
pub(super) async fn database(findings: &mut Findings, url: &str, now: Timestamp) {
    let settings = CatalogSettings {
        url: url.to_owned(),
        connections: 1,
        application_name: "berth doctor",
    };
    let asked = match Catalog::new(&settings) {
        Ok(catalog) => catalog::diagnose(&catalog).await,
        Err(error) => Err(error),
    };
    let told = match asked {
        Ok(told) => told,
        Err(error) => {
            let why = process::in_one_line(&error);
            return findings.bad(
                format!("The database does not answer: {why}\nIs Postgres running, and is BERTH_DATABASE_URL right?"),
                format!("数据库没有响应：{why}\n请确认 Postgres 已启动、BERTH_DATABASE_URL 正确"),
            );
        }
    };
    let (version, newest) = (&told.server_version, told.newest);
    match told.applied {
        Some(applied) if applied == newest => findings.good(
            format!("The database answers (Postgres {version}), its tables are at V{applied}"),
            format!("数据库正常（Postgres {version}），表结构为 V{applied}"),
        ),
        Some(applied) if applied > newest => findings.doubtful(
            format!("The tables are at V{applied}, this program knows V{newest} at most\nA newer release has been here: update this program"),
            format!("表结构为 V{applied}，而本程序只到 V{newest}\n已有更新的版本运行过，请更新本程序"),
        ),
        Some(applied) => findings.bad(
            format!("The tables are at V{applied}, this program wants V{newest}\nRun `berth migrate`"),
            format!("表结构为 V{applied}，本程序需要 V{newest}\n请运行 `berth migrate`"),
        ),
        None => findings.doubtful(
            format!("The database answers (Postgres {version}), but does not tell this role how old its tables are\nWith the owner's BERTH_DATABASE_URL it would; if this is new, run `berth setup`"),
            format!("数据库正常（Postgres {version}），但当前角色无法得知表结构版本\n请用属主的 BERTH_DATABASE_URL；若是新库，请运行 `berth setup`"),
        ),
    }
    clock(
        findings,
        now.duration_since(told.now).as_secs(),
        ("the database's", "数据库"),
    );
}

/// Whether another clock agrees with ours.
pub(super) fn clock(findings: &mut Findings, ahead: i64, (whose, of): (&str, &str)) {
    if ahead.abs() <= LARGEST_DIFFERENCE_SECONDS {
        findings.good(
            format!("This machine's clock agrees with {whose}"),
            format!("本机时钟与{of}一致"),
        );
    } else {
        findings.bad(
            format!("This machine's clock is {ahead} s ahead of {whose}\nLet NTP set both (timedatectl)"),
            format!("本机时钟比{of}快 {ahead} 秒\n请用 NTP 校时（timedatectl）"),
        );
    }
}

/// Whether the folder of blobs can be written to, is one file system, and has room.
pub(super) fn store(findings: &mut Findings, data: &Path) {
    let (blobs, shown) = (data.join("blobs"), data.join("blobs").display().to_string());
    if let Err(error) = try_out(&blobs) {
        return findings.bad(
            format!(
                "{shown} can't be written to: {error}\nIt must belong to the user that upload-svc runs as"
            ),
            format!("{shown} 无法写入：{error}\n该目录须属于运行 upload-svc 的用户"),
        );
    }
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
    let staging = blobs.join(".staging");
    if staging.exists() && device(&staging) != device(&blobs) {
        findings.bad(
            format!("{} is in another file system than {shown}\nPublishing is a link within one: mount both together", staging.display()),
            format!("{} 与 {shown} 不在同一文件系统\n发布依赖同一文件系统内的硬链接，请挂载在一起", staging.display()),
        );
    }
    let Ok(room) = rustix::fs::statvfs(&blobs) else {
        return;
    };
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let (left, files) = (size(free), room.f_favail);
    if free < NO_ROOM || (room.f_files > 0 && files < 1_000) {
        findings.bad(
            format!("{shown} is full: {left} and {files} files are left\nUploads are refused (507)"),
            format!("{shown} 已满：仅剩 {left}、{files} 个文件\n上传会被拒绝（507）"),
        );
    } else if free < LITTLE_ROOM {
        findings.doubtful(
            format!("{shown} can be written to, but only {left} are left"),
            format!("{shown} 可写，但只剩 {left}"),
        );
    } else {
        findings.good(
            format!("{shown} can be written to, {left} are left"),
            format!("{shown} 可写，剩余 {left}"),
        );
    }
}

/// Writes a file that has no name, where the file system can do that; nothing is left either way.
fn try_out(folder: &Path) -> io::Result<()> {
    use std::io::Write as _;
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(b"berth doctor")?;
    file.sync_all()
}

/// Whether a service says that it is well.
pub(super) async fn health(findings: &mut Findings, url: &str) {
    match health_check::ask(url).await {
        Ok(()) => findings.good(format!("{url} says that it is ready"), format!("{url} 已就绪")),
        Err(error) => findings.bad(
            format!("{url} does not say that it is ready: {error}\nIs the service running? Its log says why it is not ready"),
            format!("{url} 未就绪：{error}\n服务是否已启动？未就绪的原因见其日志"),
        ),
    }
}
