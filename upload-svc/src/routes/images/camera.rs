use domain::Camera;
use serde_json::{Value, json};

/// A camera as every reply shows it: what is not known is null.
pub(super) fn camera_json(camera: &Camera) -> Value {
    json!({
        "make": camera.make,
        "model": camera.model,
        "lens": camera.lens,
        "f_number": camera.f_number,
        "exposure_seconds": camera.exposure_seconds,
        "iso": camera.iso,
        "focal_length_mm": camera.focal_length_mm,
        "focal_length_35mm": camera.focal_length_35mm,
        "flash": camera.flash,
    })
}
