//! The token that protects the server.

use crate::error::ServeError;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use equipoise_data::read_text;
use std::path::Path;
use subtle::{Choice, ConstantTimeEq};

/// Least number of characters of a token.
const SHORTEST: usize = 16;
/// Most characters of a token.
const LONGEST: usize = 1024;

/// The tokens that are let in. Only their hashes are kept, so that a comparison takes the same time whatever is compared.
#[derive(Clone)]
pub(crate) struct Tokens(Vec<blake3::Hash>);

impl Tokens {
    /// Reads a file of tokens, one on each line: several let one token be replaced by another without a stop.
    ///
    /// # Errors
    /// A file that cannot be read, one without a token, a token that is too short or has characters that a header cannot hold.
    pub(crate) fn read(path: &Path) -> Result<Tokens, ServeError> {
        let wrong = |what: String| ServeError::setting("--token-file", format!("{}: {what}", path.display()));
        let text = read_text(path).map_err(|error| wrong(error.to_string()))?;
        let tokens: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if tokens.is_empty() {
            return Err(wrong("no token; write one on a line, such as `openssl rand -hex 32` makes".into()));
        }
        for (place, token) in tokens.iter().enumerate() {
            let fits =
                (SHORTEST..=LONGEST).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
            if !fits {
                let what = format!(
                    "token {}: expected {SHORTEST} to {LONGEST} visible ASCII characters, such as `openssl rand -hex 32` makes",
                    place + 1
                );
                return Err(wrong(what));
            }
        }
        Ok(Tokens(tokens.iter().map(|token| blake3::hash(token.as_bytes())).collect()))
    }

    /// Whether an `Authorization` header has a token: as a bearer, or as the password of a browser's dialogue.
    pub(crate) fn let_in(&self, header: Option<&[u8]>) -> bool {
        let Some((scheme, rest)) =
            header.and_then(|header| std::str::from_utf8(header).ok()?.split_once(' '))
        else {
            return false;
        };
        let given = match scheme.to_ascii_lowercase().as_str() {
            "bearer" => rest.trim().as_bytes().to_vec(),
            "basic" => match BASE64_STANDARD.decode(rest.trim()) {
                Ok(pair) => pair.splitn(2, |&b| b == b':').nth(1).unwrap_or_default().to_vec(),
                Err(_) => return false,
            },
            _ => return false,
        };
        let given = blake3::hash(&given);
        let same = |known: &blake3::Hash| known.as_bytes().ct_eq(given.as_bytes());
        self.0.iter().map(same).fold(Choice::from(0), |found, same| found | same).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Result<Tokens, ServeError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, text).unwrap();
        Tokens::read(&path)
    }

    #[test]
    fn each_token_of_the_file_is_let_in_and_nothing_else() {
        let tokens = tokens("0123456789abcdef\n\nfedcba9876543210\n").unwrap();
        for good in ["Bearer 0123456789abcdef", "bearer fedcba9876543210"] {
            assert!(tokens.let_in(Some(good.as_bytes())), "{good}");
        }
        let basic = |pair: &str| format!("Basic {}", BASE64_STANDARD.encode(pair));
        assert!(tokens.let_in(Some(basic("anyone:0123456789abcdef").as_bytes())));
        for bad in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer 0123456789abcde",
            "Bearer 0123456789abcdef0",
            "0123456789abcdef",
            "Basic !",
            "Digest 0123456789abcdef",
        ] {
            assert!(!tokens.let_in(Some(bad.as_bytes())), "{bad}");
        }
        for bad in ["anyone", "0123456789abcdef:", "anyone:0123456789abcdef:"] {
            assert!(!tokens.let_in(Some(basic(bad).as_bytes())), "{bad}");
        }
        assert!(!tokens.let_in(None) && !tokens.let_in(Some(b"Bearer \xff")));
    }

    #[test]
    fn a_file_without_a_good_token_is_refused() {
        for text in ["", "\n\n", "short\n", "0123456789abcdef\nwith a blank in it\n", "0123456789abcdefé"] {
            assert!(tokens(text).is_err(), "{text:?}");
        }
        assert!(Tokens::read(Path::new("nowhere-at-all")).is_err());
    }
}
