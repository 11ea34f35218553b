//! Quoted strings of Python and their escapes.

use equipoise_data::LineFault;

/// A reader of one quoted string.
pub(crate) struct Strings<'a> {
    text: &'a str,
    /// Before the opening quote, then behind the closing one.
    pub(crate) place: usize,
    keep: bool,
    out: String,
    /// First half of a surrogate pair, waiting for the second.
    high: Option<u32>,
    pub(crate) replaced: u64,
}

impl<'a> Strings<'a> {
    /// `place` is that of the opening quote.
    pub(crate) fn new(text: &'a str, place: usize, keep: bool) -> Strings<'a> {
        Strings { text, place, keep, out: String::new(), high: None, replaced: 0 }
    }

    /// The text between the quotes, escapes resolved; empty if it is not kept.
    pub(crate) fn read(&mut self) -> Result<String, LineFault> {
        let start = self.place;
        let quote = self.text.as_bytes()[start];
        self.place += 1;
        loop {
            let rest = &self.text.as_bytes()[self.place..];
            let Some(length) = rest.iter().position(|&b| b == quote || b == b'\\') else {
                let problem = "a string that is never closed, expected its quote; repair the line".into();
                return Err(LineFault { byte: Some(start + 1), problem });
            };
            self.plain(length);
            if rest[length] == quote {
                self.place += 1;
                self.flush();
                return Ok(std::mem::take(&mut self.out));
            }
            self.escape()?;
        }
    }

    /// Takes over `length` bytes without escapes.
    fn plain(&mut self, length: usize) {
        if length > 0 {
            self.flush();
            if self.keep {
                self.out.push_str(&self.text[self.place..self.place + length]);
            }
            self.place += length;
        }
    }

    fn escape(&mut self) -> Result<(), LineFault> {
        let kind = self.text.as_bytes().get(self.place + 1).copied();
        let short = |c: char| Ok((c as u32, 2));
        let (code, length) = match kind {
            Some(c @ (b'\\' | b'\'' | b'"')) => short(c as char),
            Some(b'n') => short('\n'),
            Some(b't') => short('\t'),
            Some(b'r') => short('\r'),
            Some(b'a') => short('\x07'),
            Some(b'b') => short('\x08'),
            Some(b'f') => short('\x0c'),
            Some(b'v') => short('\x0b'),
            Some(b'0'..=b'7') => Ok(self.octal()),
            Some(b'x') => self.hexadecimal(2),
            Some(b'u') => self.hexadecimal(4),
            Some(b'U') => self.hexadecimal(8),
            Some(b'N') => Err(self.wrong("a character by number, not by name")),
            // Python keeps a backslash that starts no escape.
            _ => Ok(('\\' as u32, 1)),
        }?;
        self.character(code)?;
        self.place += length;
        Ok(())
    }

    /// Up to three octal digits.
    fn octal(&self) -> (u32, usize) {
        let digits = self.text.as_bytes()[self.place + 1..].iter().take(3);
        let digits: Vec<u8> = digits.copied().take_while(|b| matches!(b, b'0'..=b'7')).collect();
        let code = digits.iter().fold(0, |code, b| code * 8 + u32::from(b - b'0'));
        (code, 1 + digits.len())
    }

    fn hexadecimal(&self, count: usize) -> Result<(u32, usize), LineFault> {
        let digits = self.text.as_bytes().get(self.place + 2..self.place + 2 + count);
        let digits = digits.filter(|d| d.iter().all(u8::is_ascii_hexdigit));
        let code =
            digits.and_then(|d| std::str::from_utf8(d).ok()).and_then(|d| u32::from_str_radix(d, 16).ok());
        let code = code.ok_or_else(|| self.wrong(&format!("{count} hexadecimal digits")))?;
        Ok((code, 2 + count))
    }

    /// Adds a code point; halves of surrogate pairs are joined or replaced.
    fn character(&mut self, code: u32) -> Result<(), LineFault> {
        match (self.high, code) {
            (Some(high), 0xdc00..=0xdfff) => {
                self.high = None;
                self.push(0x1_0000 + ((high - 0xd800) << 10) + (code - 0xdc00))
            }
            (_, 0xd800..=0xdbff) => {
                self.flush();
                self.high = Some(code);
                Ok(())
            }
            (_, 0xdc00..=0xdfff) => {
                self.replaced += 1;
                self.push(char::REPLACEMENT_CHARACTER as u32)
            }
            _ => {
                self.flush();
                self.push(code)
            }
        }
    }

    fn push(&mut self, code: u32) -> Result<(), LineFault> {
        let character = char::from_u32(code).ok_or_else(|| self.wrong("a character up to \\U0010ffff"))?;
        if self.keep {
            self.out.push(character);
        }
        Ok(())
    }

    /// Replaces a first half that stayed alone.
    fn flush(&mut self) {
        if self.high.take().is_some() {
            self.replaced += 1;
            if self.keep {
                self.out.push(char::REPLACEMENT_CHARACTER);
            }
        }
    }

    fn wrong(&self, expected: &str) -> LineFault {
        let found: String = self.text[self.place..].chars().take(10).collect();
        let problem = format!("expected {expected}, found {found:?}");
        LineFault { byte: Some(self.place + 1), problem }
    }
}
