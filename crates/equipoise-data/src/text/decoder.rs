//! Text of another encoding as UTF-8.

use std::fmt::{self, Display};
use std::io::{self, BufRead, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding};

/// Bytes of UTF-8 that one step of a decoder may need at least.
const STEP: usize = 16;

/// Decodes on the way. Bytes that the encoding does not have are an error: a character of replacement in their place
/// would change ids and texts without a word.
pub(super) struct Decoded<R> {
    input: R,
    encoding: &'static Encoding,
    decoder: Decoder,
    /// UTF-8 that was decoded and not yet read.
    text: Vec<u8>,
    read: usize,
    ended: bool,
}

/// Bytes that are not of the encoding.
#[derive(Debug)]
pub(super) struct Undecodable(pub(super) &'static str);

impl Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes that are no {}", self.0)
    }
}

impl std::error::Error for Undecodable {}

impl<R: BufRead> Decoded<R> {
    pub(super) fn new(input: R, encoding: &'static Encoding) -> Decoded<R> {
        let decoder = encoding.new_decoder_without_bom_handling();
        Decoded { input, encoding, decoder, text: Vec::new(), read: 0, ended: false }
    }

    /// Decodes what the input has at hand.
    fn step(&mut self) -> io::Result<()> {
        let bytes = self.input.fill_buf()?;
        let last = bytes.is_empty();
        self.text.resize(3 * bytes.len() + STEP, 0);
        let (result, taken, written) =
            self.decoder.decode_to_utf8_without_replacement(bytes, &mut self.text, last);
        self.input.consume(taken);
        self.text.truncate(written);
        (self.read, self.ended) = (0, last);
        match result {
            DecoderResult::InputEmpty | DecoderResult::OutputFull => Ok(()),
            DecoderResult::Malformed(..) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, Undecodable(self.encoding.name())))
            }
        }
    }
}

impl<R: BufRead> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.read == self.text.len() && !self.ended {
            self.step()?;
        }
        let ready = &self.text[self.read..];
        let count = ready.len().min(out.len());
        out[..count].copy_from_slice(&ready[..count]);
        self.read += count;
        Ok(count)
    }
}
