//! Heads that say two things about where their body ends.
//!
//! SECURITY: two servers in a row that disagree about a body's end can be made to swallow one another's
//! requests (request smuggling). hyper settles the two harmless-looking cases silently: `Transfer-Encoding`
//! beside `Content-Length`, and `Content-Length` given twice with one value. It drops the evidence and closes
//! the connection afterwards in the first case, which is safe, but we would rather say 400 to both. So the
//! bytes are looked at as they come. What hyper refuses by itself is not looked for here.
//!
//! Only what certainly is a head is judged: a head that came in the same read as the request before it is
//! left to hyper.

use http::{HeaderMap, Version, header};

/// The longest name that matters, `transfer-encoding`, and its colon.
const NAME: usize = 18;

/// Reads a head's lines, however they are cut into pieces.
#[derive(Debug, Default)]
pub(super) struct HeadScanner {
    /// The current line's first bytes.
    start: [u8; NAME],
    /// How many bytes of the line were seen, at most `NAME`.
    seen: usize,
    lengths: u8,
    encodings: u8,
    /// The head has ended and a body follows: nothing more is judged until `reset`.
    ended: bool,
}

impl HeadScanner {
    /// Forgets everything: the next bytes begin a head.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Takes the next bytes. True when they end a head that is ambiguous.
    pub(super) fn scan(&mut self, mut bytes: &[u8]) -> bool {
        while !self.ended && !bytes.is_empty() {
            let end = bytes.iter().position(|&byte| byte == b'\n');
            let line = &bytes[..end.unwrap_or(bytes.len())];
            let taken = line.len().min(NAME - self.seen);
            self.start[self.seen..self.seen + taken].copy_from_slice(&line[..taken]);
            self.seen += taken;
            let Some(end) = end else { return false };
            bytes = &bytes[end + 1..];
            if self.line_ended() {
                return true;
            }
        }
        false
    }

    fn line_ended(&mut self) -> bool {
        let line = &self.start[..std::mem::take(&mut self.seen)];
        match line.first() {
            None | Some(b'\r') => {
                let ambiguous = self.lengths > 1 || (self.lengths > 0 && self.encodings > 0);
                let body_follows = self.lengths > 0 || self.encodings > 0;
                self.reset();
                self.ended = body_follows;
                return ambiguous;
            }
            Some(b'c' | b'C') if names(line, b"content-length:") => {
                self.lengths = self.lengths.saturating_add(1);
            }
            Some(b't' | b'T') if names(line, b"transfer-encoding:") => {
                self.encodings = self.encodings.saturating_add(1);
            }
            Some(_) => {}
        }
        false
    }
}

fn names(line: &[u8], field: &[u8]) -> bool {
    line.get(..field.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(field))
}

/// Whether the head names exactly one host, as HTTP/1.1 demands (RFC 9112, 3.2): caches and proxies disagree
/// about the rest.
pub(super) fn one_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match hosts.next() {
        Some(_) => hosts.next().is_none(),
        None => version < Version::HTTP_11,
    }
}

#[cfg(test)]
mod tests {
    use super::HeadScanner;

    const CASES: &[(&str, bool)] = &[
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", false),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
            false,
        ),
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            false,
        ),
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
            true,
        ),
        (
            "POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-ENCODING: chunked\r\n\r\n",
            true,
        ),
        (
            "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
            true,
        ),
        ("POST / HTTP/1.1\nContent-Length: 3\nContent-Length: 3\n\n", true),
        (
            "POST / HTTP/1.1\r\nContent-Length: 3\r\nX-Content-Length: 3\r\n\r\n",
            false,
        ),
        (
            "POST / HTTP/1.1\r\nContent-Length-X: 3\r\nContent-Length: 3\r\n\r\n",
            false,
        ),
        // A body is no head, whatever it looks like.
        (
            "POST / HTTP/1.1\r\nContent-Length: 40\r\n\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            false,
        ),
        // A request without a body is followed by the next head.
        (
            "GET / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
            true,
        ),
    ];

    #[test]
    fn an_ambiguous_head_is_seen_in_one_piece() {
        for (head, ambiguous) in CASES {
            assert_eq!(
                HeadScanner::default().scan(head.as_bytes()),
                *ambiguous,
                "{head:?}"
            );
        }
    }

    #[test]
    fn an_ambiguous_head_is_seen_byte_by_byte() {
        for (head, ambiguous) in CASES {
            let mut scanner = HeadScanner::default();
            let seen = head.as_bytes().chunks(1).any(|byte| scanner.scan(byte));
            assert_eq!(seen, *ambiguous, "{head:?}");
        }
    }
}
