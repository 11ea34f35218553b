//! Files that are no text, known by their first bytes.

use super::gzip;

/// First bytes of a format, what it is called, and what to do.
const SIGNATURES: [(&[u8], &str, &str); 12] = [
    (&gzip::MAGIC, "gzip within gzip", "unpack it once with gunzip"),
    (b"PK\x03\x04", "a zip archive or a workbook of Excel", "unpack it, or save the sheet as CSV"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it with zstd -d, or use gzip"),
    (b"BZh", "compressed with bzip2", "unpack it with bunzip2, or use gzip"),
    (b"\xfd7zXZ\0", "compressed with xz", "unpack it with unxz, or use gzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (b"PAR1", "a Parquet file", "let its name end in .parquet"),
    (b"\x93NUMPY", "an array of NumPy", "let its name end in .npy"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "export it as CSV"),
    (b"SQLite format 3\0", "a database of SQLite", "export the table as CSV"),
    (b"\xd0\xcf\x11\xe0", "a workbook of Excel", "save the sheet as CSV"),
    (b"%PDF", "a PDF", "give the data as text"),
];

/// What a file is that is no text, and what to do.
pub(super) fn not_text(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let known = SIGNATURES.iter().find(|(bytes, _, _)| head.starts_with(bytes));
    let binary = known.map(|(_, name, remedy)| (*name, *remedy));
    binary.or_else(|| is_page(head).then_some(("a page of HTML", "download the file itself")))
}

/// A page in the place of a file is what a failed download leaves.
fn is_page(head: &[u8]) -> bool {
    let start = head.trim_ascii_start();
    [&b"<!doctype html"[..], b"<html"]
        .iter()
        .any(|tag| start.get(..tag.len()).is_some_and(|bytes| bytes.eq_ignore_ascii_case(tag)))
}
