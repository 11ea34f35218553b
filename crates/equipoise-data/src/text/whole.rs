//! A file of text that is read as a whole: settings, requests, lists of ids.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::source::TextSource;
use crate::error::DataError;

/// The text of a file, read as every file of text is: a byte order mark is passed over, UTF-16 is decoded, gzip is unpacked.
///
/// # Errors
/// What the system says; [`ErrorKind::InvalidData`] for a file that is damaged or no text, with the place of the fault and without
/// the name of the file.
///
/// ```
/// let dir = tempfile::tempdir()?;
/// let file = dir.path().join("settings.toml");
/// std::fs::write(&file, "\u{feff}seed = 1\n")?;
/// assert_eq!(equipoise_data::read_text(&file)?, "seed = 1\n");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read_text(file: &Path) -> io::Result<String> {
    text_of(file).map_err(|error| match error {
        DataError::Io { source, .. } => source,
        DataError::Entry { place, problem, .. } => {
            io::Error::new(ErrorKind::InvalidData, format!("{place}: {problem}"))
        }
        other => io::Error::new(ErrorKind::InvalidData, other.to_string()),
    })
}

/// The same with an error that names the file.
///
/// # Errors
/// As [`read_text`].
pub(crate) fn text_of(file: &Path) -> Result<String, DataError> {
    let mut source = TextSource::open(file, None)?;
    let mut bytes = Vec::new();
    let read = source.text().read_to_end(&mut bytes);
    read.map_err(|error| source.fault("the whole file".into(), error))?;
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let place = format!("line {line}, byte {}", before.len() - start + 1);
        DataError::Entry { file: file.to_owned(), place, problem: "no UTF-8; convert the file to it".into() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_encodings_make_no_difference_and_other_bytes_have_their_place() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("ids.txt");
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        for bytes in [b"u1\nu2".to_vec(), "\u{feff}u1\nu2".into(), utf16("\u{feff}u1\nu2"), utf16("u1\nu2")] {
            std::fs::write(&file, bytes).expect("written");
            assert_eq!(read_text(&file).expect("text"), "u1\nu2");
        }
        std::fs::write(&file, b"u1\n\xc3\xa4\xe4").expect("written");
        let error = read_text(&file).expect_err("Latin-1");
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::InvalidData, "line 2, byte 3: no UTF-8; convert the file to it")
        );
        assert_eq!(read_text(&dir.path().join("none")).expect_err("absent").kind(), ErrorKind::NotFound);
    }
}
