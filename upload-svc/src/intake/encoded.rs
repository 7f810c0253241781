//! Files that are sent as base64 text, in a form's field: decoded while they arrive, so that no more of them is in memory than a piece.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use domain::Refusal;

/// Bytes after which it is clear whether a file is text: no format that is taken begins with as many letters.
const TELLING: usize = 16;
/// The longest `data:image/png;base64,` that is read.
const LONGEST_PREFIX: usize = 128;
const PREFIX: &[u8] = b"data:";
const DECODER: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How the bytes of a file are written.
#[derive(Debug)]
pub(super) enum Coding {
    /// As they are.
    Raw,
    /// Nobody knows yet; the bytes so far.
    Unknown(Vec<u8>),
    /// As base64 text.
    Text(Base64),
}

impl Coding {
    /// Of a file that may be text, or may not.
    pub(super) fn of_file(may_be_text: bool) -> Self {
        if may_be_text {
            Self::Unknown(Vec::new())
        } else {
            Self::Raw
        }
    }

    /// The bytes that the next piece stands for: perhaps none yet.
    pub(super) fn decode(&mut self, piece: Bytes) -> Result<Bytes, Refusal> {
        match self {
            Self::Raw => Ok(piece),
            Self::Text(text) => text.push(&piece),
            Self::Unknown(held) => {
                held.extend_from_slice(&piece);
                if held.len() < TELLING {
                    return Ok(Bytes::new());
                }
                let held = std::mem::take(held);
                self.settle(held)
            }
        }
    }

    /// The bytes that were held back when the file has ended.
    pub(super) fn end(&mut self) -> Result<Bytes, Refusal> {
        let begun = match self {
            Self::Unknown(held) => {
                let held = std::mem::take(held);
                self.settle(held)?
            }
            Self::Raw | Self::Text(_) => Bytes::new(),
        };
        let Self::Text(text) = self else { return Ok(begun) };
        let rest = text.end()?;
        Ok([begun, rest].concat().into())
    }

    fn settle(&mut self, held: Vec<u8>) -> Result<Bytes, Refusal> {
        let is_text = held
            .iter()
            .take(TELLING)
            .all(|byte| Base64::is_part(*byte) || b":;=,".contains(byte));
        if !is_text {
            *self = Self::Raw;
            return Ok(held.into());
        }
        let mut text = Base64::default();
        let decoded = text.push(&held);
        *self = Self::Text(text);
        decoded
    }
}

/// Reads base64 as it comes: in both alphabets, with line breaks or without, padded or not, with or without `data:…;base64,` before it.
#[derive(Debug, Default)]
pub(super) struct Base64 {
    /// What may still turn out to be `data:…,`.
    prefix: Option<Vec<u8>>,
    is_past_prefix: bool,
    /// Letters that are no whole group of four yet.
    letters: Vec<u8>,
    is_padded: bool,
}

impl Base64 {
    fn is_part(byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"+/-_".contains(&byte)
    }

    /// The bytes that more text stands for.
    pub(super) fn push(&mut self, text: &[u8]) -> Result<Bytes, Refusal> {
        if self.is_past_prefix {
            return self.decode(text);
        }
        let mut begin = self.prefix.take().unwrap_or_default();
        begin.extend_from_slice(text);
        let length = begin.len().min(PREFIX.len());
        if begin[..length] != PREFIX[..length] {
            self.is_past_prefix = true;
            return self.decode(&begin);
        }
        let Some(comma) = begin.iter().take(LONGEST_PREFIX).position(|byte| *byte == b',') else {
            if begin.len() >= LONGEST_PREFIX {
                return Err(Refusal::TypeNotAllowed);
            }
            self.prefix = Some(begin);
            return Ok(Bytes::new());
        };
        self.is_past_prefix = true;
        self.decode(&begin[comma + 1..])
    }

    fn decode(&mut self, text: &[u8]) -> Result<Bytes, Refusal> {
        self.letters.reserve(text.len());
        for byte in text {
            let letter = match byte {
                b'-' => b'+',
                b'_' => b'/',
                b'=' => {
                    self.is_padded = true;
                    continue;
                }
                space if space.is_ascii_whitespace() => continue,
                other => *other,
            };
            if self.is_padded {
                return Err(Refusal::TypeNotAllowed);
            }
            self.letters.push(letter);
        }
        let whole = self.letters.len() / 4 * 4;
        let decoded = DECODER
            .decode(&self.letters[..whole])
            .map_err(|_| Refusal::TypeNotAllowed)?;
        self.letters.drain(..whole);
        Ok(decoded.into())
    }

    /// What is left of a text that ends without padding.
    pub(super) fn end(&mut self) -> Result<Bytes, Refusal> {
        if let Some(begun) = self.prefix.take() {
            self.is_past_prefix = true;
            // Four letters that happened to begin like a prefix are a text as well.
            let decoded = self.decode(&begun)?;
            return Ok([decoded, self.end()?].concat().into());
        }
        let letters = std::mem::take(&mut self.letters);
        let decoded = DECODER.decode(&letters).map_err(|_| Refusal::TypeNotAllowed)?;
        Ok(decoded.into())
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE};

    use super::*;

    fn read(text: &[u8], piece: usize) -> Result<Vec<u8>, Refusal> {
        let mut coding = Coding::of_file(true);
        let mut bytes = Vec::new();
        for piece in text.chunks(piece) {
            bytes.extend(coding.decode(Bytes::copy_from_slice(piece))?);
        }
        bytes.extend(coding.end()?);
        Ok(bytes)
    }

    #[test]
    fn text_is_decoded_however_it_is_cut_and_written() {
        for length in [0, 1, 2, 3, 16, 57, 100, 1001] {
            // Bytes whose text has every letter, among them those that the two alphabets write differently.
            let bytes: Vec<u8> = (0_u32..length)
                .map(|at| (at * 7 + at / 3 * 251).to_le_bytes()[0] | 0x80)
                .collect();
            let usual = BASE64_STANDARD.encode(&bytes);
            let wrapped: Vec<String> = usual
                .as_bytes()
                .chunks(76)
                .map(|line| String::from_utf8(line.to_vec()).unwrap())
                .collect();
            for text in [
                usual.clone(),
                BASE64_STANDARD_NO_PAD.encode(&bytes),
                BASE64_URL_SAFE.encode(&bytes),
                wrapped.join("\r\n") + "\n",
                format!("data:image/png;base64,{usual}"),
            ] {
                for piece in [1, 3, 4, 5, 15, 16, 17, 4096] {
                    assert_eq!(
                        read(text.as_bytes(), piece),
                        Ok(bytes.clone()),
                        "{text} by {piece}"
                    );
                }
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_left_as_they_are() {
        for bytes in [
            &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR and so on"[..],
            b"GIF89aAAAA\x80\0\0ABCDEFGHIJKLMNOP",
            b"\xff\xd8\xff\xe0\0\x10JFIF and so on, long",
            b"RIFF\x10\0\0\0WEBPVP8 and so on",
            b"BM\x10\0\0\0\0\0\0\0 and so on",
        ] {
            assert_eq!(read(bytes, 5).as_deref(), Ok(bytes));
        }
    }

    #[test]
    fn text_that_stands_for_nothing_is_refused() {
        let endless = format!("data:{}", "x".repeat(1000));
        for text in [
            "data:nothing",
            "QUJD=QUJDQUJDQUJDQUJD",
            "QUJDQUJDQUJDQUJDQ",
            &endless,
        ] {
            for piece in [1, 7, 4096] {
                assert_eq!(
                    read(text.as_bytes(), piece),
                    Err(Refusal::TypeNotAllowed),
                    "{text} by {piece}"
                );
            }
        }
    }
}
