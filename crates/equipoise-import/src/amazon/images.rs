//! The published features of images, `image_features_X.b`, to one row per item.
//!
//! ```text
//! record = item id (10 bytes ASCII) | 4,096 float32, little-endian      16,394 bytes, no header, to the end
//! ```
//!
//! McAuley et al. (2015), *Image-Based Recommendations on Styles and Substitutes*. The file covers a whole category
//! (8.7 GB for Sports): the ids alone are read first, then the records of the items in the order of the items.
//! The memory is one record, a sum of 4,096 values and 8 bytes for each item.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use equipoise_data::formats::{float32_header, write_row_ids};
use equipoise_data::{DataError, MeanRow, unpacked};
use serde::Serialize;

use super::ids::Ids;
use crate::stream::Stream;

/// Values of a record.
pub(crate) const WIDTH: usize = 4096;
/// Bytes of an item id.
pub(crate) const ID: usize = 10;
/// Bytes of a record.
pub(crate) const RECORD: u64 = (ID + 4 * WIDTH) as u64;

/// What became of the records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImageCounts {
    /// Records in the file.
    pub records: u64,
    /// Records of items that are not in the data set.
    pub unknown: u64,
    /// Further records of an item: the first is kept.
    pub repeated: u64,
    /// Items of the data set without a record: they are given the mean of the others and marked missing.
    pub items_without: usize,
}

/// Writes `image_feat.npy` with the ids of its rows, and `image_missing.json` with the items that have no image; those are given the mean
/// of the items that have one.
///
/// # Errors
/// A file that is not a sequence of whole records, a value that is not finite, no item found; file system faults.
pub(crate) fn write(file: &Path, items: &Ids, dir: &Path) -> Result<ImageCounts, DataError> {
    let mut input = open(file, dir)?;
    let records = count_records(file, &input)?;
    let mut counts = ImageCounts { records, ..ImageCounts::default() };
    let places = places(file, &input, items, &mut counts)?;
    counts.items_without = places.iter().filter(|place| place.is_none()).count();
    if counts.items_without == items.len() {
        return Err(fault(file, 0, "no item of the reviews; give the image features of the same category"));
    }
    let mean = mean(file, &mut input, &places)?;
    let features = dir.join("image_feat.npy");
    let mut out = Stream::create(features.clone())?;
    out.write(&float32_header(items.len(), WIDTH))?;
    let mut record = vec![0; RECORD as usize];
    for place in &places {
        match place {
            Some(place) => {
                read_at(file, &mut input, *place, &mut record)?;
                out.write(&record[ID..])?;
            }
            None => out.write(&mean)?,
        }
    }
    out.finish()?;
    write_row_ids(&features, &items.names().iter().collect())?;
    write_missing(&places, dir)?;
    Ok(counts)
}

/// The file, or what a compressed one holds: records are read at their places, so that it is unpacked into `dir`, without
/// a name.
fn open(file: &Path, dir: &Path) -> Result<File, DataError> {
    let Some(mut packed) = unpacked(file)? else {
        return File::open(file).map_err(DataError::io(file));
    };
    let mut out = tempfile::tempfile_in(dir).map_err(DataError::io(dir))?;
    let (mut chunk, mut done) = (vec![0; 1 << 16], 0);
    loop {
        let read = packed.read(&mut chunk).map_err(|error| {
            let problem =
                format!("the gzip data are damaged or cut short ({error}); download the file again");
            fault(file, done, &problem)
        })?;
        if read == 0 {
            out.rewind().map_err(DataError::io(dir))?;
            return Ok(out);
        }
        done += read as u64;
        out.write_all(&chunk[..read]).map_err(DataError::io(dir))?;
    }
}

fn fault(file: &Path, byte: u64, problem: &str) -> DataError {
    DataError::Entry { file: file.to_owned(), place: format!("byte {byte}"), problem: problem.to_owned() }
}

fn count_records(file: &Path, input: &File) -> Result<u64, DataError> {
    let length = input.metadata().map_err(DataError::io(file))?.len();
    if length == 0 || !length.is_multiple_of(RECORD) {
        let whole = length - length % RECORD;
        let problem = format!(
            "{length} bytes are {} whole records of {RECORD} bytes and {} bytes more, expected whole records; \
             download the file again",
            length / RECORD,
            length % RECORD
        );
        return Err(fault(file, whole, &problem));
    }
    Ok(length / RECORD)
}

/// Where the record of each item starts.
fn places(
    file: &Path,
    input: &File,
    items: &Ids,
    counts: &mut ImageCounts,
) -> Result<Vec<Option<u64>>, DataError> {
    // A small buffer: most of a record is stepped over.
    let mut input = BufReader::with_capacity(512, input);
    let mut places = vec![None; items.len()];
    let mut id = [0; ID];
    for start in (0..counts.records).map(|record| record * RECORD) {
        input.read_exact(&mut id).map_err(DataError::io(file))?;
        input.seek_relative((RECORD - ID as u64) as i64).map_err(DataError::io(file))?;
        let raw = std::str::from_utf8(&id).ok().filter(|raw| raw.bytes().all(|b| b.is_ascii_graphic()));
        let raw = raw.ok_or_else(|| {
            let problem = format!(
                "the record's id is \"{}\", expected {ID} letters and digits; download the file again",
                id.escape_ascii()
            );
            fault(file, start, &problem)
        })?;
        match items.find(raw) {
            None => counts.unknown += 1,
            Some(item) if places[item as usize].is_some() => counts.repeated += 1,
            Some(item) => places[item as usize] = Some(start),
        }
    }
    Ok(places)
}

/// Bytes of the mean row of the items that have one, summed in float64 in the order of the items; every value is
/// checked on the way.
fn mean(file: &Path, input: &mut File, places: &[Option<u64>]) -> Result<Vec<u8>, DataError> {
    let mut mean = MeanRow::new(WIDTH);
    let (mut record, mut row) = (vec![0; RECORD as usize], vec![0f32; WIDTH]);
    for &place in places.iter().flatten() {
        read_at(file, input, place, &mut record)?;
        for (column, (value, bytes)) in row.iter_mut().zip(record[ID..].as_chunks::<4>().0).enumerate() {
            *value = f32::from_le_bytes(*bytes);
            if !value.is_finite() {
                let byte = place + (ID + 4 * column) as u64;
                let problem = format!("value {value}, expected a finite number; download again");
                return Err(fault(file, byte, &problem));
            }
        }
        mean.add(&row);
    }
    let mean = mean.mean().expect("some item has a record");
    Ok(mean.iter().flat_map(|value| value.to_le_bytes()).collect())
}

fn read_at(file: &Path, input: &mut File, place: u64, record: &mut [u8]) -> Result<(), DataError> {
    let read = input.seek(SeekFrom::Start(place)).and_then(|_| input.read_exact(record));
    read.map_err(DataError::io(file))
}

fn write_missing(places: &[Option<u64>], dir: &Path) -> Result<(), DataError> {
    let missing: Vec<usize> = (0..places.len()).filter(|&item| places[item].is_none()).collect();
    let mut out = Stream::create(dir.join("image_missing.json"))?;
    out.write(serde_json::to_string(&missing).expect("numbers are JSON").as_bytes())?;
    out.write(b"\n")?;
    out.finish()
}
