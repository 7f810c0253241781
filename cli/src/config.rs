use std::path::PathBuf;

use blobs::StoreSettings;
use domain::{Dialect, MediaType, hotlink::HostRule, parse_duration};
use process::settings::{Complaints, Reader, Sources};

use crate::Failure;

/// Sizes and other whole numbers.
const NUMBERS: [&str; 5] = [
    "BERTH_MAX_UPLOAD_BYTES",
    "BERTH_MAX_VIDEO_BYTES",
    "BERTH_MAX_REQUEST_BYTES",
    "BERTH_MAX_FILES",
    "BERTH_DATABASE_CONNECTIONS",
];
const DURATIONS: [&str; 3] = [
    "BERTH_SWEEP_GRACE",
    "BERTH_STAGING_MAX_AGE",
    "BERTH_JANITOR_INTERVAL",
];
/// Secrets of a composed berth; each is judged where it is set.
const SECRETS: [&str; 5] = [
    "BERTH_SECRET",
    "BERTH_DB_OWNER_PASSWORD",
    "BERTH_DB_UPLOAD_PASSWORD",
    "BERTH_DB_SERVE_PASSWORD",
    "BERTH_DB_JANITOR_PASSWORD",
];

/// Tells everything that is wrong with the settings of all programs.
pub(crate) fn check(sources: Sources) -> Result<(), Failure> {
    complaints(sources)?;
    println!("The settings are in order. 配置无误。");
    Ok(())
}

/// Everything that is wrong with the settings of all programs.
pub(crate) fn complaints(sources: Sources) -> Result<(), Complaints> {
    let mut reader = Reader::new(sources);
    for name in SECRETS
        .into_iter()
        .filter(|name| reader.is_set(name))
        .collect::<Vec<_>>()
    {
        reader.secret(name);
    }
    let data = reader.value("BERTH_DATA", PathBuf::new());
    // berthd makes its own, in its data folder.
    if !reader.is_set("BERTH_SECRET") && !data.join("secret").is_file() {
        reader.secret("BERTH_SECRET");
    }
    if reader
        .text("BERTH_ADMIN_PASSWORD")
        .is_some_and(|password| password.contains("change-me"))
    {
        reader.complain(
            "BERTH_ADMIN_PASSWORD",
            &"still holds the placeholder; run `make env`, or choose one of 12 characters or more",
        );
    }
    let _: Option<StoreSettings> = reader.together(|text| StoreSettings::read(&data.join("blobs"), text));
    let _: u32 = reader.value("BERTH_EXPIRE_DAYS", 0);
    let _: u32 = reader.value("BERTH_RATE_LIMIT", 0);
    let _: u32 = reader.value("BERTH_ACCOUNT_RATE_LIMIT", 0);
    for name in NUMBERS {
        let _: u64 = reader.value(name, 0);
    }
    for name in DURATIONS {
        reader.value_with(name, std::time::Duration::ZERO, parse_duration);
    }
    let _: Vec<HostRule> = reader.list("BERTH_HOTLINK_ALLOW");
    for name in ["BERTH_DIALECTS", "BERTH_HEADER_VALIDATION"] {
        let _: Vec<Dialect> = reader.list(name);
    }
    let _: Vec<MediaType> = reader.list("BERTH_ALLOWED_TYPES");
    reader.switch("BERTH_CLEANUP");
    reader.switch("BERTH_HOTLINK_RULES");
    reader.finish(())
}

/// Prints every setting in force.
#[allow(clippy::unnecessary_wraps, reason = "every command gives the same")]
pub(crate) fn print(sources: Sources) -> Result<(), Failure> {
    print!("{}", Reader::new(sources).print());
    Ok(())
}
