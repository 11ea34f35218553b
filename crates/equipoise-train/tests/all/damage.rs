//! Files of a finished run that were damaged, cut short or copied from another run are refused by whoever reads them.

use crate::common;

use common::World;
use equipoise_data::Seed;
use equipoise_train::Run;
use std::fs;
use std::path::{Path, PathBuf};

/// Places at which each file is damaged.
const PLACES: usize = 100;

/// What reads a file of a run.
type Read = fn(&Run) -> Result<(), String>;

/// Each file of a run, and what reads it.
fn readers() -> [(&'static str, Read); 8] {
    fn told<T>(read: Result<T, impl ToString>) -> Result<(), String> {
        read.map(drop).map_err(|fault| fault.to_string())
    }
    [
        ("config.toml", |run| told(run.config())),
        ("metrics.json", |run| told(run.report())),
        ("model.safetensors", |run| told(run.model(&World::new().loaded.data))),
        ("tables.safetensors", |run| told(run.vocabulary().and_then(|ids| run.tables(&ids)))),
        ("vocabulary.json", |run| told(run.vocabulary())),
        ("events.jsonl", |run| told(run.epochs())),
        ("per_user.parquet", |run| told(run.per_user())),
        ("ablations.parquet", |run| told(run.ablations("recall@20"))),
    ]
}

fn read(dir: &Path, read: Read) -> Result<(), String> {
    read(&Run::open(dir).map_err(|fault| fault.to_string())?)
}

/// The files as they are, and the same with bytes changed or cut off at many places.
fn damaged(whole: &[u8], name: &str) -> Vec<Vec<u8>> {
    let mut stream = Seed(11).stream(name);
    let mut place = || stream.below(whole.len() as u32) as usize;
    let mut changes = Vec::new();
    for n in 0..PLACES {
        let at = place();
        let mut bytes = whole.to_vec();
        match n % 4 {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1,
            2 => bytes[at] = bytes[at].wrapping_add(1 + n as u8),
            _ => bytes.insert(at, b' '),
        }
        changes.push(bytes);
    }
    changes
}

#[test]
fn no_damaged_file_is_read() {
    let world = World::new();
    let dir = world.run(&world.config(), "run").unwrap().run.dir().to_owned();
    for (name, reader) in readers() {
        read(&dir, reader).unwrap_or_else(|fault| panic!("{name}, whole: {fault}"));
        let path = dir.join(name);
        let whole = fs::read(&path).unwrap();
        for (n, bytes) in damaged(&whole, name).into_iter().enumerate() {
            fs::write(&path, bytes).unwrap();
            let fault = read(&dir, reader).err().unwrap_or_else(|| panic!("{name}, change {n}: read"));
            assert!(fault.contains(name), "{name}, change {n}: {fault}");
        }
        fs::write(&path, &whole).unwrap();
    }
    let path = dir.join("run.json");
    let whole = fs::read(&path).unwrap();
    for (n, bytes) in damaged(&whole, "run.json").into_iter().enumerate() {
        fs::write(&path, bytes).unwrap();
        let fault = Run::open(&dir).err().unwrap_or_else(|| panic!("run.json, change {n}: read")).to_string();
        assert!(fault.contains("run.json"), "change {n}: {fault}");
    }
}

#[test]
fn a_file_of_another_run_is_refused_although_it_is_whole() {
    let world = World::new();
    let mut other = world.config();
    other.seed += 1;
    let run = world.run(&world.config(), "run").unwrap().run.dir().to_owned();
    let foreign: PathBuf = world.run(&other, "other").unwrap().run.dir().to_owned();
    // The vocabularies of two runs on the same data are equal.
    for (name, reader) in readers().into_iter().filter(|(name, _)| *name != "vocabulary.json") {
        let whole = fs::read(run.join(name)).unwrap();
        fs::copy(foreign.join(name), run.join(name)).unwrap();
        let fault = read(&run, reader).err().unwrap_or_else(|| panic!("{name}: read"));
        assert!(
            fault.contains(name) && fault.contains("not the file that belongs to this run"),
            "{name}: {fault}"
        );
        fs::write(run.join(name), whole).unwrap();
    }
}

#[test]
fn a_damaged_teacher_is_refused_by_name_before_it_is_used() {
    let world = World::new();
    let mut config = world.distilled();
    config.balance.teachers = Some(world.path("shared"));
    world.run(&config, "first").unwrap();
    let model = world.path("shared/text/model.safetensors");
    let mut bytes = fs::read(&model).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&model, bytes).unwrap();
    let fault = world.run(&config, "second").err().expect("a damaged teacher").to_string();
    assert!(fault.contains("text/model.safetensors") && fault.contains("not the file"), "{fault}");
}
