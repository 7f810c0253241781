//! Forms of `application/x-www-form-urlencoded`, one of whose fields holds a file as base64 text. Read as they arrive, within the limits of other
//! forms.

use std::collections::HashMap;

use bytes::{Buf, Bytes};
use domain::{FileName, Refusal};
use futures_util::{Stream, StreamExt as _};
use http_kit::{BodyFault, body_fault};

use super::{
    encoded::Coding,
    form::{Form, LONGEST_FIELD_BYTES, MOST_FIELDS, ReceivedFile, Receiving},
};
use crate::{Service, problem::Failure};

/// A name that nobody's field has.
const LONGEST_NAME: usize = 256;

/// Reads such a form; the value of `field` is the file.
pub(super) async fn receive<B: Buf>(
    service: &Service,
    field: &str,
    body: impl Stream<Item = Result<B, warp::Error>> + Send,
) -> Result<Form, Failure> {
    let mut body = std::pin::pin!(body);
    let mut reader = Reader::new(service, field);
    while let Some(piece) = body.next().await {
        let taken = match piece {
            Ok(mut piece) => reader.take(piece.copy_to_bytes(piece.remaining())).await,
            Err(error) => Err(Failure::Body(
                body_fault(&error).unwrap_or(BodyFault::Disconnected),
            )),
        };
        if let Err(failure) = taken {
            reader.discard().await;
            return Err(failure);
        }
    }
    reader.end_field().await?;
    Ok(Form {
        files: reader.files,
        fields: reader.fields,
        validation: service.validation(),
    })
}

struct Reader<'a> {
    service: &'a Service,
    field: &'a str,
    files: Vec<ReceivedFile>,
    fields: HashMap<String, String>,
    place: Place,
    unescape: Unescape,
}

/// Where in the form the reader is.
enum Place {
    Name(Vec<u8>),
    Text { name: String, value: Vec<u8> },
    File(Receiving),
}

impl<'a> Reader<'a> {
    fn new(service: &'a Service, field: &'a str) -> Self {
        Self {
            service,
            field,
            files: Vec::new(),
            fields: HashMap::new(),
            place: Place::Name(Vec::new()),
            unescape: Unescape::default(),
        }
    }

    async fn take(&mut self, mut piece: Bytes) -> Result<(), Failure> {
        while !piece.is_empty() {
            let is_name = matches!(self.place, Place::Name(_));
            let ends = |byte: &u8| *byte == b'&' || (is_name && *byte == b'=');
            let Some(at) = piece.iter().position(ends) else {
                return self.read(&piece).await;
            };
            let part = piece.split_to(at);
            let mark = piece.get_u8();
            self.read(&part).await?;
            if mark == b'=' {
                self.begin_value()?;
            } else {
                self.end_field().await?;
            }
        }
        Ok(())
    }

    async fn read(&mut self, part: &[u8]) -> Result<(), Failure> {
        // A plus sign means a space, but clients that write base64 there forget to escape it.
        let plus = if matches!(self.place, Place::File(_)) {
            b'+'
        } else {
            b' '
        };
        let bytes = self.unescape.push(part, plus);
        match &mut self.place {
            Place::Name(name) => append(name, &bytes, LONGEST_NAME)?,
            Place::Text { value, .. } => append(value, &bytes, LONGEST_FIELD_BYTES)?,
            Place::File(file) => file.take(bytes.into(), self.service.limits()).await?,
        }
        Ok(())
    }

    fn begin_value(&mut self) -> Result<(), Failure> {
        let Place::Name(name) = &mut self.place else {
            return Ok(());
        };
        name.extend(self.unescape.end());
        let name = text(std::mem::take(name))?;
        self.place = if name == self.field {
            Place::File(Receiving::new(self.service, Coding::of_file(true))?)
        } else {
            Place::Text {
                name,
                value: Vec::new(),
            }
        };
        Ok(())
    }

    async fn end_field(&mut self) -> Result<(), Failure> {
        let rest = self.unescape.end();
        match std::mem::replace(&mut self.place, Place::Name(Vec::new())) {
            Place::Name(_) => {}
            Place::Text { name, mut value } => {
                value.extend(rest);
                if self.fields.len() == MOST_FIELDS {
                    return Err(
                        Refusal::MalformedMultipart(format!("more than {MOST_FIELDS} fields")).into(),
                    );
                }
                self.fields.insert(name, text(value)?);
            }
            Place::File(file) => {
                let staged = file.finish(self.service.limits()).await?;
                // One file is all that such a form can hold.
                if !self.files.is_empty() {
                    return Err(Refusal::TooManyFiles { limit: 1 }.into());
                }
                let name = FileName::clean("", "image");
                self.files.push(ReceivedFile { name, staged });
            }
        }
        Ok(())
    }

    async fn discard(self) {
        if let Place::File(file) = self.place {
            file.discard().await;
        }
    }
}

fn append(to: &mut Vec<u8>, bytes: &[u8], most: usize) -> Result<(), Refusal> {
    if to.len() + bytes.len() > most {
        let reason = format!("a name or a field of text is longer than {most} bytes");
        return Err(Refusal::MalformedMultipart(reason));
    }
    to.extend_from_slice(bytes);
    Ok(())
}

fn text(bytes: Vec<u8>) -> Result<String, Refusal> {
    let malformed = |_| Refusal::MalformedMultipart("a field of text is not UTF-8".to_owned());
    String::from_utf8(bytes).map_err(malformed)
}

/// Undoes percent-encoding as it comes; what is no escape stands for itself.
#[derive(Debug, Default)]
struct Unescape(Vec<u8>);

impl Unescape {
    fn push(&mut self, part: &[u8], plus: u8) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() + part.len());
        for byte in part {
            if self.0.is_empty() {
                match byte {
                    b'%' => self.0.push(b'%'),
                    b'+' => bytes.push(plus),
                    other => bytes.push(*other),
                }
                continue;
            }
            self.0.push(*byte);
            if let [_, high, low] = self.0[..] {
                let digit = |byte: u8| {
                    char::from(byte)
                        .to_digit(16)
                        .and_then(|digit| u8::try_from(digit).ok())
                };
                match digit(high).zip(digit(low)) {
                    Some((high, low)) => bytes.push(high << 4 | low),
                    None => bytes.extend_from_slice(&self.0),
                }
                self.0.clear();
            }
        }
        bytes
    }

    /// An escape that was cut off.
    fn end(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Unescape;

    #[test]
    fn escapes_are_undone_wherever_they_are_cut() {
        for (text, plus, expected) in [
            ("a%2Fb+c", b' ', "a/b c"),
            ("a%2fb+c", b'+', "a/b+c"),
            ("%E6%88%AA", b' ', "截"),
            ("100%", b' ', "100%"),
            ("%4", b' ', "%4"),
            ("%zz!", b' ', "%zz!"),
        ] {
            for piece in 1..=text.len() {
                let mut unescape = Unescape::default();
                let mut bytes: Vec<u8> = text
                    .as_bytes()
                    .chunks(piece)
                    .flat_map(|part| unescape.push(part, plus))
                    .collect();
                bytes.extend(unescape.end());
                assert_eq!(String::from_utf8(bytes).unwrap(), expected, "{text} by {piece}");
            }
        }
    }
}
