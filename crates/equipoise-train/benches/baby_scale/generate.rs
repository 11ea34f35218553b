//! Data sets of a given size: items uniform over the catalogue, features uniform in \[0, 1).

use equipoise_data::formats::matrix_header;
use equipoise_data::{LoadOptions, Seed, Stream, write_atomic};
use equipoise_import::{ConvertOptions, Target};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::str::FromStr;

/// Users that have a validation and a test item, at most: an evaluation of more would tell no more about growth.
const HELD_OUT: usize = 50_000;

/// Users, items and train interactions.
pub struct Size {
    pub users: usize,
    pub items: usize,
    pub train: usize,
}

impl Size {
    /// Amazon Baby.
    pub const BABY: Size = Size { users: 19_445, items: 7_050, train: 118_551 };
    /// Amazon Sports.
    pub const SPORTS: Size = Size { users: 35_598, items: 18_357, train: 218_409 };
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        match text {
            "baby" => return Ok(Size::BABY),
            "sports" => return Ok(Size::SPORTS),
            _ => {}
        }
        let numbers: Result<Vec<usize>, _> = text.split('x').map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[users, items, train]) => Ok(Size { users, items, train }),
            _ => Err(format!("size {text:?}: expected baby, sports or USERSxITEMSxTRAIN")),
        }
    }
}

/// Writes the splits, every user with as many train items as any other to one, and `m<k>_feat.npy` per width.
pub fn write(dir: &Path, size: &Size, widths: &[&str]) {
    let mut random = Seed(9).stream("bench");
    let mut splits = [String::from("{"), String::from("{"), String::from("{")];
    for user in 0..size.users {
        let train = size.train / size.users + usize::from(user < size.train % size.users);
        let held_out = usize::from(user < HELD_OUT);
        let mut items: Vec<u32> = Vec::new();
        while items.len() < train + 2 * held_out {
            let item = random.below(size.items as u32);
            if !items.contains(&item) {
                items.push(item);
            }
        }
        let (held, train) = items.split_at(2 * held_out);
        let parts = [train, &held[..held_out], &held[held_out..]];
        for (split, part) in splits.iter_mut().zip(parts).filter(|(_, part)| !part.is_empty()) {
            let comma = if split.len() == 1 { "" } else { "," };
            split.push_str(&format!("{comma}\"{user}\":{part:?}"));
        }
    }
    std::fs::create_dir_all(dir.join("5-core")).expect("the directory can be made");
    for (name, text) in ["train", "val", "test"].iter().zip(splits) {
        std::fs::write(dir.join(format!("5-core/{name}.json")), text + "}").expect("the file can be written");
    }
    for (m, width) in widths.iter().enumerate() {
        features(&dir.join(format!("m{m}_feat.npy")), size.items, width, &mut random);
    }
}

/// Writes the data of `dir` in the project's own layout, which maps features into memory.
pub fn own(dir: &Path, out: &Path) {
    let (load, convert) = (LoadOptions::default(), ConvertOptions::default());
    equipoise_import::convert(dir, &load, Target::Equipoise, out, &convert)
        .expect("generated data can be converted");
}

/// A matrix in the type that `width` names, written as it is drawn.
fn features(file: &Path, rows: usize, width: &str, random: &mut Stream) {
    let (width, half) = match width.strip_suffix(":f16") {
        Some(width) => (width, true),
        None => (width, false),
    };
    let width: usize = width.parse().expect("a width is a number, perhaps with :f16");
    let dtype = if half { "<f2" } else { "<f4" };
    write_atomic(file, |out| {
        out.write_all(&matrix_header(dtype, rows, width))?;
        values(out, rows * width, half, random)
    })
    .expect("the file can be written");
}

fn values(
    out: &mut BufWriter<std::fs::File>,
    count: usize,
    half: bool,
    random: &mut Stream,
) -> std::io::Result<()> {
    (0..count).try_for_each(|_| {
        let value = random.unit() as f32;
        if half {
            out.write_all(&half::f16::from_f32(value).to_le_bytes())
        } else {
            out.write_all(&value.to_le_bytes())
        }
    })
}
