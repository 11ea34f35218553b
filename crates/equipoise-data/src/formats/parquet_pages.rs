//! What the pages of a Parquet file promise, before they are decoded.
//!
//! A page's header says to how many bytes it unpacks, and a decoder takes that much memory at once. Headers are therefore
//! read here first. They are structures of [Thrift], of which four numbers count:
//!
//! ```text
//! PageHeader       2: uncompressed_page_size  3: compressed_page_size  5, 7, 8: headers of data, dictionary, data (v2)
//! data, dictionary 1: num_values
//! data (v2)        1: num_values  5: def_levels_byte_length  6: rep_levels_byte_length  7: is_compressed
//! ```

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use flate2::read::MultiGzDecoder;
use parquet::basic::Compression;
use parquet::file::metadata::ColumnChunkMetaData;

use super::parquet_shapes::{DATA_PAGE, DATA_PAGE_V2, PAGE};
use super::thrift::{FALSE, Thrift, broken};
use crate::inflated::{most_unpacked, too_much};

/// Values that lists of any file may have, and that each of its bytes may stand for.
const VALUES: u64 = 16 << 20;
const VALUES_PER_BYTE: u64 = 64;

/// What a file's pages promise so far.
pub(super) struct Promised {
    /// Bytes of the file.
    length: u64,
    /// Bytes that its pages unpack to.
    unpacked: u64,
    /// Values of its lists.
    values: u64,
}

impl Promised {
    /// Nothing so far, of a file of `length` bytes.
    pub(super) fn new(length: u64) -> Promised {
        Promised { length, unpacked: 0, values: 0 }
    }
}

/// Checks the pages of a column chunk.
///
/// # Errors
/// What they promise, if it is more than they can hold; what the file says when it is read.
pub(super) fn check(file: &File, chunk: &ColumnChunkMetaData, promised: &mut Promised) -> io::Result<()> {
    let (start, length) = chunk.byte_range();
    let values = u64::try_from(chunk.num_values()).map_err(|_| broken("a negative number of values"))?;
    if chunk.column_descr().max_rep_level() > 0 {
        promised.values = promised.values.saturating_add(values);
        let (found, bytes) = (promised.values, promised.length);
        if found > VALUES.saturating_add(bytes.saturating_mul(VALUES_PER_BYTE)) {
            return Err(broken(format!("{found} values of lists claimed by a file of {bytes} bytes")));
        }
    }
    let mut input = BufReader::new(file);
    input.seek(SeekFrom::Start(start))?;
    let (mut left, mut seen) = (length, 0);
    // Some writers count a few bytes too many: what follows the last value is not looked at.
    while seen < values && left > 0 {
        let mut header = Thrift::new(&mut input, left, HEADER);
        let page = Page::read(&mut header)?;
        left = header.left();
        let packed = u64::try_from(page.packed).ok().filter(|&packed| packed <= left);
        let packed =
            packed.ok_or_else(|| broken(format!("a page of {} bytes, {left} are left", page.packed)))?;
        let unpacked = u64::try_from(page.unpacked).map_err(|_| broken("a page of less than no bytes"))?;
        promised.unpacked = promised.unpacked.saturating_add(unpacked);
        if promised.unpacked > most_unpacked(promised.length) {
            return Err(broken(too_much(promised.length)));
        }
        match Unbounded::of(chunk.compression()).filter(|_| page.is_compressed) {
            Some(codec) => codec.unpacks_to(&mut input, packed, page.levels, unpacked)?,
            None => input.seek_relative(packed as i64)?,
        }
        left -= packed;
        seen += u64::try_from(page.values).unwrap_or(0);
    }
    Ok(())
}

/// Compressions whose pages are decoded to their end, whatever the header says.
#[derive(Clone, Copy)]
enum Unbounded {
    Gzip,
    Brotli,
    /// The frames of older versions; blocks have their size in front of them.
    Lz4,
}

impl Unbounded {
    fn of(compression: Compression) -> Option<Unbounded> {
        match compression {
            Compression::GZIP(_) => Some(Unbounded::Gzip),
            Compression::BROTLI(_) => Some(Unbounded::Brotli),
            Compression::LZ4 => Some(Unbounded::Lz4),
            _ => None,
        }
    }

    fn decoder<'a>(self, page: &'a mut dyn Read) -> Box<dyn Read + 'a> {
        match self {
            Unbounded::Gzip => Box::new(MultiGzDecoder::new(page)),
            Unbounded::Brotli => Box::new(brotli::Decompressor::new(page, 4096)),
            Unbounded::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(page)),
        }
    }

    /// Decodes a page once without keeping it: it must end where its header says. Damage is the reader's to find.
    fn unpacks_to(self, input: &mut impl Read, packed: u64, levels: u64, unpacked: u64) -> io::Result<()> {
        let mut page = input.take(packed);
        io::copy(&mut (&mut page).take(levels), &mut io::sink())?;
        let (mut decoder, mut decoded) = (self.decoder(&mut page).take(unpacked + 1), 0);
        let mut buffer = [0; 1 << 14];
        // What was decoded before a fault counts: the reader keeps it too.
        while let Ok(bytes) = decoder.read(&mut buffer)
            && bytes > 0
        {
            decoded += bytes as u64;
        }
        drop(decoder);
        if decoded > unpacked {
            return Err(broken(format!(
                "a page of {packed} bytes unpacks to more than the {unpacked} it promises"
            )));
        }
        io::copy(&mut page, &mut io::sink()).map(drop)
    }
}

/// What counts of a page's header.
struct Page {
    unpacked: i64,
    packed: i64,
    /// Values of a data page; 0 of a dictionary.
    values: i64,
    /// Bytes at the start that are not compressed.
    levels: u64,
    is_compressed: bool,
}

/// What a page's header is called in messages.
const HEADER: &str = "a page's header";

/// A header has no more than a few structures within each other.
const DEEPEST: u32 = 8;

impl Page {
    fn read<R: Read>(input: &mut Thrift<'_, R>) -> io::Result<Page> {
        let mut page = Page { unpacked: -1, packed: -1, values: 0, levels: 0, is_compressed: true };
        input.structure(PAGE, |input, number, kind, shape| match number {
            2 => input.integer().map(|value| page.unpacked = value),
            3 => input.integer().map(|value| page.packed = value),
            5 => page.first(input),
            8 => page.second(input),
            _ => input.pass(kind, shape, DEEPEST),
        })?;
        Ok(page)
    }

    fn first<R: Read>(&mut self, input: &mut Thrift<'_, R>) -> io::Result<()> {
        input.structure(DATA_PAGE, |input, number, kind, shape| match number {
            1 => input.integer().map(|value| self.values = value),
            _ => input.pass(kind, shape, DEEPEST),
        })
    }

    fn second<R: Read>(&mut self, input: &mut Thrift<'_, R>) -> io::Result<()> {
        input.structure(DATA_PAGE_V2, |input, number, kind, shape| match number {
            1 => input.integer().map(|value| self.values = value),
            5 | 6 => input.integer().map(|value| {
                self.levels = self.levels.saturating_add(u64::try_from(value).unwrap_or(0));
            }),
            7 => {
                self.is_compressed = kind != FALSE;
                Ok(())
            }
            _ => input.pass(kind, shape, DEEPEST),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::write::GzEncoder;
    use std::io::Write;

    /// A signed number as the protocol writes it.
    fn integer(value: i64) -> Vec<u8> {
        let (mut left, mut bytes) = (((value << 1) ^ (value >> 63)) as u64, Vec::new());
        while left >= 0x80 {
            bytes.push(left as u8 | 0x80);
            left >>= 7;
        }
        bytes.push(left as u8);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<(i64, i64, i64, u64, bool), String> {
        let mut slice = bytes;
        let mut input = Thrift::new(&mut slice, bytes.len() as u64, HEADER);
        let page = Page::read(&mut input).map_err(|error| error.to_string())?;
        Ok((page.unpacked, page.packed, page.values, page.levels, page.is_compressed))
    }

    #[test]
    fn what_counts_is_read_and_the_rest_passed_over() {
        // Type 0, sizes, a check sum, and a data page with statistics: a text, and a list and a truth value that Parquet does not know.
        let sizes = [vec![0x15], integer(0), vec![0x15], integer(70_000), vec![0x15], integer(300)].concat();
        let statistics = [vec![0x4c, 0x18, 2, b'a', b'b', 0xb9, 0x25, 2, 4, 0x11, 0x00]].concat();
        let first =
            [sizes.clone(), vec![0x15], integer(-5), vec![0x1c, 0x15], integer(9), statistics, vec![0, 0]];
        assert_eq!(read(&first.concat()), Ok((70_000, 300, 9, 0, true)));
        let second =
            [vec![0x15], integer(8), vec![0x45], integer(20), vec![0x15], integer(30), vec![0x12, 0, 0]];
        let second = [sizes, vec![0x5c], second.concat()].concat();
        assert_eq!(read(&second), Ok((70_000, 300, 8, 50, false)));
    }

    /// 10,000 bytes, packed.
    fn packed(codec: Unbounded) -> Vec<u8> {
        let content = [7; 10_000];
        match codec {
            Unbounded::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
                encoder.write_all(&content).expect("memory");
                encoder.finish().expect("memory")
            }
            Unbounded::Brotli => {
                let mut bytes = Vec::new();
                brotli::CompressorWriter::new(&mut bytes, 4096, 5, 22).write_all(&content).expect("memory");
                bytes
            }
            Unbounded::Lz4 => {
                let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
                encoder.write_all(&content).expect("memory");
                encoder.finish().expect("memory")
            }
        }
    }

    #[test]
    fn a_page_may_not_hold_more_than_it_promises() {
        for codec in [Unbounded::Gzip, Unbounded::Brotli, Unbounded::Lz4] {
            let page = [vec![1, 2, 3], packed(codec), vec![9]].concat();
            let packed = page.len() as u64 - 1;
            let mut input = &page[..];
            codec.unpacks_to(&mut input, packed, 3, 10_000).expect("as much as promised");
            assert_eq!(input, [9], "the next page begins where it should");
            let more = codec.unpacks_to(&mut &page[..], packed, 3, 9_999).expect_err("one too many");
            assert!(more.to_string().contains("more than the 9999"), "{more}");
        }
    }
}
