//! JSON documents that are read as a whole.

use std::io;
use std::path::Path;

use serde::de::DeserializeSeed;

use super::nan::without_nan;
use super::source::TextSource;
use crate::error::{DataError, json_error};

/// Reads the document of a file; `expected` is its shape in words. A compressed file is parsed as it is unpacked, so
/// that its contents and not its text are held.
///
/// # Errors
/// [`DataError::Io`], [`DataError::Entry`] for a file that is damaged or no text, [`DataError::Json`] with the line and
/// column of what is no JSON or of another shape.
pub(crate) fn read<T, S>(file: &Path, expected: &'static str, seed: S) -> Result<T, DataError>
where
    S: for<'de> DeserializeSeed<'de, Value = T>,
{
    let mut source = TextSource::open(file, None)?;
    if source.is_compressed() {
        let mut json = serde_json::Deserializer::from_reader(source.text());
        let read = seed.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
        return read.map_err(|error| fault(&source, expected, error, false));
    }
    let mut text = Vec::new();
    let read = source.text().read_to_end(&mut text);
    read.map_err(|error| source.fault("the whole file".into(), error))?;
    let mut json = serde_json::Deserializer::from_slice(&text);
    let read = seed.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    read.map_err(|error| fault(&source, expected, error, without_nan(&text).is_some()))
}

fn fault(source: &TextSource, expected: &'static str, error: serde_json::Error, nan: bool) -> DataError {
    if error.is_io() {
        let place = format!("line {}", error.line());
        return source.fault(place, io::Error::from(error));
    }
    match json_error(source.file(), expected, &error) {
        DataError::Json { file, line, column, problem, expected } if nan => {
            let problem = format!("{problem} (the file has NaN or Infinity, which JSON does not have)");
            DataError::Json { file, line, column, problem, expected }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::marker::PhantomData;

    fn read_all(bytes: &[u8]) -> Result<Vec<f64>, String> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("list.json");
        std::fs::write(&file, bytes).expect("written");
        read(&file, "[numbers]", PhantomData::<Vec<f64>>).map_err(|error| error.to_string())
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        let mut encoder = flate2::bufread::GzEncoder::new(text, flate2::Compression::default());
        encoder.read_to_end(&mut packed).expect("memory");
        packed
    }

    #[test]
    fn marks_and_compression_make_no_difference() {
        let utf16: Vec<u8> = "\u{feff}[1, 2]".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [b"[1, 2]".to_vec(), "\u{feff}[1, 2]".into(), utf16, gzip(b"[1, 2]\n")] {
            assert_eq!(read_all(&bytes), Ok(vec![1.0, 2.0]));
        }
    }

    #[test]
    fn what_is_wrong_has_its_place_and_nan_is_named() {
        for (bytes, says) in [
            (b"[1,\nNaN]".to_vec(), "NaN"),
            (b"[1,\n\"NaN\"]".to_vec(), "line 2"),
            (b"[1] x".to_vec(), "line 1, column 5"),
            (gzip(b"[1,\n\"a\"]"), "line 2"),
            (gzip(b"[1, 2]")[..20].to_vec(), "cut short"),
        ] {
            let message = read_all(&bytes).expect_err(says);
            assert!(message.contains(says), "{says}: {message}");
        }
        assert!(!read_all(b"[1,\n\"NaN\"]").expect_err("a text").contains("JSON does not have"));
    }
}
