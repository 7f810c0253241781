use serde::{Deserialize, Serialize};

use crate::file_name::is_hidden;

/// With which camera something was taken and how that was set, as the stored file tells whoever opens it. What is not known is
/// none.
///
/// SECURITY: nothing in here tells which very device it was, whose, or where.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Camera {
    /// Who made it: `Apple`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub make: Option<String>,
    /// What it is called: `iPhone 15 Pro`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What its lens is called, or how long and how wide that is: `24-70mm f/2.8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lens: Option<String>,
    /// How far the lens was closed: 1.8 of ƒ/1.8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f_number: Option<f64>,
    /// How long the picture was exposed, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure_seconds: Option<f64>,
    /// How sensitive the sensor was, as ISO 12232 counts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iso: Option<u32>,
    /// The focal length of the lens, in millimetres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub focal_length_mm: Option<f64>,
    /// The focal length that shows as much on 35 mm film, in millimetres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub focal_length_35mm: Option<u32>,
    /// Whether the flash fired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flash: Option<bool>,
}

/// The most characters of a name.
const LONGEST_NAME: usize = 100;
/// From the fastest lens ever made to a hole made with a needle.
const F_NUMBERS: (f64, f64) = (0.1, 1_000.0);
/// From a tenth of a microsecond to a day of star trails.
const EXPOSURES: (f64, f64) = (1e-7, 86_400.0);
/// Beyond ten metres it is an observatory.
const FOCAL_LENGTHS: (f64, f64) = (0.1, 100_000.0);
const MOST_ISO: u32 = 10_000_000;

impl Camera {
    /// What of this makes sense: names without hidden characters and not without end, numbers that a camera can be set to,
    /// rounded to what cameras know of themselves. None where nothing is left.
    #[must_use]
    pub fn sound(self) -> Option<Self> {
        let sound = Self {
            make: self.make.and_then(|text| name(&text)),
            model: self.model.and_then(|text| name(&text)),
            lens: self.lens.and_then(|text| name(&text)),
            f_number: within(self.f_number, F_NUMBERS).map(hundredths),
            exposure_seconds: within(self.exposure_seconds, EXPOSURES).map(six_digits),
            iso: self.iso.filter(|iso| (1..=MOST_ISO).contains(iso)),
            focal_length_mm: within(self.focal_length_mm, FOCAL_LENGTHS).map(hundredths),
            focal_length_35mm: self
                .focal_length_35mm
                .filter(|length| within(Some(f64::from(*length)), FOCAL_LENGTHS).is_some()),
            flash: self.flash,
        };
        // That no flash fired is true of every drawing.
        let says_something = Self {
            flash: None,
            ..sound.clone()
        } != Self::default();
        says_something.then_some(sound)
    }
}

/// A name as it may be shown. Dashes and blanks stand for "unknown".
fn name(text: &str) -> Option<String> {
    let visible: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .filter(|letter| !is_hidden(*letter))
        .take(4 * LONGEST_NAME)
        .collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    let cut: String = words.join(" ").chars().take(LONGEST_NAME).collect();
    let says_something = cut.chars().any(char::is_alphanumeric) && !cut.eq_ignore_ascii_case("unknown");
    says_something.then(|| cut.trim_end().to_owned())
}

/// A number between these; none that is not one (NaN).
fn within(number: Option<f64>, (least, most): (f64, f64)) -> Option<f64> {
    number.filter(|number| (least..=most).contains(number))
}

fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// 1/120 is 0.00833333: whoever turns it over has 120 again.
fn six_digits(number: f64) -> f64 {
    format!("{number:.5e}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_as_they_are_and_nothing_hides_in_them() {
        let long = "x".repeat(5_000);
        for (written, shown) in [
            ("iPhone 15 Pro", Some("iPhone 15 Pro")),
            ("OLYMPUS IMAGING CORP.  ", Some("OLYMPUS IMAGING CORP.")),
            ("小米 14", Some("小米 14")),
            ("A\u{1b}[31mB\r\nC\tD", Some("A [31mB C D")),
            ("\u{202e}NONAC", Some("NONAC")),
            ("Caf\u{fffd}\u{fffd}", Some("Caf")),
            (" \u{200b} ", None),
            ("----", None),
            ("Unknown", None),
            ("", None),
        ] {
            assert_eq!(name(written).as_deref(), shown, "{written:?}");
        }
        assert_eq!(name(&long).map(|name| name.len()), Some(LONGEST_NAME));
        assert_eq!(
            name(&"米".repeat(5_000)).map(|name| name.chars().count()),
            Some(LONGEST_NAME)
        );
    }

    #[test]
    fn numbers_that_no_camera_can_be_set_to_are_not_known() {
        let of = |number: f64| Camera {
            f_number: Some(number),
            exposure_seconds: Some(number),
            focal_length_mm: Some(number),
            ..Camera::default()
        };
        for nonsense in [
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            0.0,
            -1.0,
            -0.0,
            1e300,
            5e-324,
        ] {
            assert_eq!(of(nonsense).sound(), None, "{nonsense}");
        }
        let iso = |iso| Camera {
            iso: Some(iso),
            focal_length_35mm: Some(iso),
            ..Camera::default()
        };
        assert_eq!(iso(0).sound(), None);
        assert_eq!(iso(u32::MAX).sound(), None);
        assert_eq!(iso(100).sound(), Some(iso(100)));
        let sound = Camera {
            f_number: Some(1.779_999_971),
            exposure_seconds: Some(1.0 / 120.0),
            focal_length_mm: Some(6.764_999_866_370_901),
            ..Camera::default()
        };
        let sound = sound.sound().unwrap();
        assert_eq!(
            (sound.f_number, sound.exposure_seconds, sound.focal_length_mm),
            (Some(1.78), Some(0.008_333_33), Some(6.76))
        );
        assert_eq!(sound.clone().sound(), Some(sound), "once is enough");
    }

    #[test]
    fn a_flash_alone_is_no_camera_and_what_is_not_known_takes_no_room() {
        let dark = Camera {
            flash: Some(false),
            ..Camera::default()
        };
        assert_eq!(dark.clone().sound(), None);
        let known = Camera {
            iso: Some(100),
            ..dark
        };
        let kept = serde_json::to_string(&known).unwrap();
        assert_eq!(kept, r#"{"iso":100,"flash":false}"#);
        assert_eq!(serde_json::from_str::<Camera>(&kept).unwrap(), known);
    }
}
