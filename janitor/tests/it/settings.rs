//! Settings are read, and every complaint is told at once.

use std::time::Duration;

use janitor::JanitorSettings;
use process::settings::Sources;

const DATABASE: (&str, &str) = ("BERTH_DATABASE_URL", "postgres://berth_janitor@localhost/berth");

#[test]
fn the_defaults_are_those_of_the_documents() {
    let settings = JanitorSettings::load(Sources::from_pairs([DATABASE])).unwrap();
    assert_eq!(settings.metrics_listen.to_string(), "127.0.0.1:9083");
    assert_eq!(
        settings.blobs.folder(),
        std::path::Path::new("./berth-data/blobs")
    );
    assert_eq!(settings.interval, Duration::from_secs(30));
    assert_eq!(settings.sweep_grace, Duration::from_hours(7 * 24));
    assert_eq!(settings.staging_max_age, Duration::from_hours(6));
    assert_eq!(settings.cleanup_time.unwrap().to_string(), "03:00:00");
    assert!(!settings.pretend);
}

#[test]
fn the_daily_clean_up_can_be_switched_off() {
    let sources = Sources::from_pairs([DATABASE, ("BERTH_CLEANUP", "off")]);
    assert_eq!(JanitorSettings::load(sources).unwrap().cleanup_time, None);
}

#[test]
fn every_complaint_is_told_at_once() {
    let complaints = JanitorSettings::load(Sources::from_pairs([
        ("BERTH_JANITOR_INTERVAL", "0"),
        ("BERTH_SWEEP_GRACE", "a week"),
        ("BERTH_STAGING_MAX_AGE", "59s"),
        ("BERTH_CLEANUP_TIME", "25:00:00"),
        ("BERTH_CLEANUP", "sometimes"),
        ("BERTH_METRICS_LISTEN", "9083"),
    ]))
    .unwrap_err();
    assert_eq!(complaints.0.len(), 7, "{complaints}");
    for part in [
        "BERTH_DATABASE_URL",
        "at least 1s",
        "at least 60s",
        "03:00:00",
        "on or off",
        "a week",
    ] {
        assert!(complaints.to_string().contains(part), "{part}: {complaints}");
    }
}
