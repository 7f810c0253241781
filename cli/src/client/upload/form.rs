use std::fmt::Write as _;

use super::send::Options;

/// The parts of a `multipart/form-data` body around its one file.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) content_type: String,
    pub(super) head: String,
    pub(super) tail: String,
}

impl Form {
    /// Fields first, so that the berth can refuse before the file has come. A random boundary stands in no file.
    pub(super) fn new(options: &Options, sha256: &str, random: [u8; 16]) -> Self {
        let boundary = format!("berth-{}", hex::encode(random));
        let checksum = format!("sha256={sha256}");
        let mut head = String::new();
        for (name, value) in options.fields().into_iter().chain([("checksum", checksum)]) {
            let _ = write!(
                head,
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
        }
        let name = escaped(&options.name);
        let _ = write!(
            head,
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        Self {
            content_type: format!("multipart/form-data; boundary={boundary}"),
            head,
            tail: format!("\r\n--{boundary}--\r\n"),
        }
    }
}

/// A name as browsers write it between quotation marks.
fn escaped(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_before_the_file_and_no_name_breaks_out() {
        let options = Options {
            name: "a\"\r\nX: y.png".to_owned(),
            album: Some(7),
            ..Options::default()
        };
        let form = Form::new(&options, "ab", [1; 16]);
        assert!(
            form.head.find("name=\"album\"\r\n\r\n7\r\n").unwrap() < form.head.find("filename=").unwrap()
        );
        assert!(form.head.contains("filename=\"a%22%0D%0AX: y.png\"\r\n"));
        assert!(form.head.contains("name=\"checksum\"\r\n\r\nsha256=ab\r\n"));
    }
}
