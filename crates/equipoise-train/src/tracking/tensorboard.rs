//! Files of events for TensorBoard: `tensorboard:DIR` writes `DIR/<model>/events.out.tfevents.*`.
//!
//! A file is a row of records, each a length, its checksum, a protocol buffer and the checksum of that. The first says the version, the
//! second that a session starts at a step: TensorBoard then forgets what earlier files in the folder have from this step on. `--logdir DIR`
//! shows a curve for each model of the run; the runs of a study beside each other are folders of one folder.

use crate::role::Role;
use crate::tracking::tracker::{Tracker, TrackerEntry};
use prost::Message;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// In the register of trackers.
pub(super) const ENTRY: TrackerEntry = TrackerEntry {
    name: "tensorboard",
    describe: "files of events in a folder, for tensorboard --logdir",
    open: |place| {
        std::fs::create_dir_all(place)?;
        Ok(Box::new(TensorBoard { place: place.to_owned(), file: None, files: 0 }))
    },
};

/// What TensorBoard asks of a file whose sessions can start again.
const FILE_VERSION: &str = "brain.Event:2";

/// Messages of TensorBoard's format, with the fields that are written here.
#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
    #[prost(message, optional, tag = "7")]
    session_log: Option<SessionLog>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Scalar>,
}

#[derive(Clone, PartialEq, Message)]
struct Scalar {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, tag = "2")]
    simple_value: f32,
}

#[derive(Clone, PartialEq, Message)]
struct SessionLog {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// `SessionLog.status` of a start.
const START: i32 = 1;

/// Writes the files of one folder.
struct TensorBoard {
    place: PathBuf,
    file: Option<BufWriter<File>>,
    files: usize,
}

impl Tracker for TensorBoard {
    fn begin(&mut self, role: &Role, step: usize) -> io::Result<()> {
        self.file = None;
        let dir = self.place.join(folder(role));
        std::fs::create_dir_all(&dir)?;
        let mut file = BufWriter::new(self.create(&dir)?);
        let now = since_1970();
        let version = Some(FILE_VERSION.to_owned());
        write(&mut file, &Event { wall_time: now, file_version: version, ..Event::default() })?;
        let session_log = Some(SessionLog { status: START });
        write(&mut file, &Event { wall_time: now, step: step as i64, session_log, ..Event::default() })?;
        file.flush()?;
        self.file = Some(file);
        Ok(())
    }

    fn numbers(&mut self, step: usize, numbers: &[(String, f64)]) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let scalar = |(tag, value): &(String, f64)| Scalar { tag: tag.clone(), simple_value: *value as f32 };
        let summary = Some(Summary { value: numbers.iter().map(scalar).collect() });
        write(file, &Event { wall_time: since_1970(), step: step as i64, summary, ..Event::default() })?;
        file.flush()
    }
}

impl TensorBoard {
    /// A file that is not there yet, behind those that are in the order of names.
    fn create(&mut self, dir: &Path) -> io::Result<File> {
        loop {
            let (now, process, number) = (since_1970() as u64, std::process::id(), self.files);
            self.files += 1;
            let path = dir.join(format!("events.out.tfevents.{now:010}.equipoise.{process}.{number:04}"));
            match File::create_new(path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made,
            }
        }
    }
}

/// The folder of a model: `model`, `teacher-image`.
fn folder(role: &Role) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    role.to_string().chars().map(plain).collect()
}

fn since_1970() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// Writes one record.
fn write(file: &mut impl Write, event: &Event) -> io::Result<()> {
    let bytes = event.encode_to_vec();
    let length = (bytes.len() as u64).to_le_bytes();
    file.write_all(&length)?;
    file.write_all(&checksum(&length))?;
    file.write_all(&bytes)?;
    file.write_all(&checksum(&bytes))
}

/// The masked CRC-32C of the format.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of a file, each held against its checksums.
    fn read(path: &Path) -> Vec<Event> {
        let bytes = std::fs::read(path).unwrap();
        let (mut rest, mut found) = (bytes.as_slice(), Vec::new());
        while !rest.is_empty() {
            let (length, behind) = rest.split_at(8);
            assert_eq!(behind[..4], checksum(length));
            let n = u64::from_le_bytes(length.try_into().unwrap()) as usize;
            let (event, behind) = behind[4..].split_at(n);
            assert_eq!(behind[..4], checksum(event));
            found.push(Event::decode(event).unwrap());
            rest = &behind[4..];
        }
        found
    }

    #[test]
    fn a_file_has_a_version_a_start_and_the_numbers_of_each_step() {
        let dir = tempfile::tempdir().unwrap();
        let mut tracker = (ENTRY.open)(dir.path()).unwrap();
        tracker.begin(&Role::Teacher("a/b".into()), 3).unwrap();
        tracker.numbers(3, &[("loss/total".into(), 0.5), ("weight/image".into(), 0.25)]).unwrap();
        tracker.begin(&Role::Model, 0).unwrap();
        let folder = dir.path().join("teacher-a-b");
        let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
        let events = read(&file);
        assert_eq!(events[0].file_version.as_deref(), Some(FILE_VERSION));
        assert_eq!((events[1].step, events[1].session_log.as_ref().unwrap().status), (3, START));
        let scalars = &events[2].summary.as_ref().unwrap().value;
        assert_eq!((scalars[1].tag.as_str(), scalars[1].simple_value), ("weight/image", 0.25));
        assert_eq!((events[2].step, events.len()), (3, 3));
        assert!(dir.path().join("model").is_dir());
    }

    /// The checksum that RFC 3720 gives for 32 zeros, masked by hand.
    #[test]
    fn the_checksum_is_that_of_the_format() {
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        let masked = 0x8a91_36aa_u32.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(checksum(&[0; 32]), masked.to_le_bytes());
    }
}
