//! Served models of made-up tables, of any size, without training: for tests of the server and for its measurement.
#![allow(dead_code)] // each user takes its part

use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::Result;
use std::path::Path;

/// A served model whose rows are random. The score of an item is the sum of the blocks' products: the first block is the ids',
/// each other one is a modality's.
pub struct Made<'a> {
    pub users: usize,
    pub items: usize,
    /// Names of the modalities with the widths of their blocks.
    pub modalities: &'a [(&'a str, usize)],
    /// Width of the block of the ids.
    pub ids: usize,
    /// Items that each user has met.
    pub taken: usize,
    pub seed: u64,
}

impl Made<'_> {
    /// Writes it with the ids `u0`, `u1`, .. and `i0`, `i1`, ..
    pub fn write(&self, dir: &Path) -> Result<()> {
        let name = |side: char, n: usize| (0..n).map(|row| format!("{side}{row}")).collect::<Vec<_>>();
        self.write_named(dir, &name('u', self.users), &name('i', self.items))
    }

    /// Writes it with these raw ids.
    pub fn write_named(&self, dir: &Path, users: &[String], items: &[String]) -> Result<()> {
        std::fs::create_dir_all(dir)?;
        let vocabulary = json!({"version": 1, "users": users, "items": items});
        std::fs::write(dir.join("vocabulary.json"), vocabulary.to_string())?;
        let mut numbers = Numbers(self.seed);
        let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
        let widths = [self.ids].into_iter().chain(self.modalities.iter().map(|m| m.1));
        for (block, width) in widths.enumerate() {
            for (side, rows) in [("users", self.users), ("items", self.items)] {
                let bytes = numbers.rows(rows * width);
                tensors.push((format!("{side}.{block}"), Dtype::F32, vec![rows, width], bytes));
            }
        }
        for (name, taken) in [("train", self.taken), ("validation", 0)] {
            let (bounds, indices) = self.interactions(taken, &mut numbers);
            tensors.push((format!("{name}.indptr"), Dtype::U64, vec![self.users + 1], bounds));
            tensors.push((format!("{name}.indices"), Dtype::U32, vec![indices.len() / 4], indices));
        }
        let views = tensors.iter().map(|(name, kind, shape, bytes)| {
            (name, TensorView::new(*kind, shape.clone(), bytes).expect("the shape fits"))
        });
        let metadata = HashMap::from([("equipoise".to_owned(), self.header().to_string())]);
        safetensors::serialize_to_file(views, Some(metadata), &dir.join("tables.safetensors"))
            .map_err(std::io::Error::other)
    }

    /// One view for each ablation that a served model needs.
    fn header(&self) -> Value {
        let n = self.modalities.len();
        let mut silenced: Vec<Vec<usize>> = vec![Vec::new(), (0..n).collect()];
        for m in 0..n {
            silenced.push(vec![m]);
            silenced.push((0..n).filter(|&other| other != m).collect());
        }
        silenced.sort();
        silenced.dedup();
        let view = |silenced: &Vec<usize>| {
            let blocks: Vec<usize> = (0..=n).filter(|&b| b == 0 || !silenced.contains(&(b - 1))).collect();
            json!({"silenced": silenced, "blocks": blocks})
        };
        let views: Vec<Value> = silenced.iter().map(view).collect();
        let names: Vec<&str> = self.modalities.iter().map(|m| m.0).collect();
        json!({"version": 1, "fingerprint": format!("made-{}", self.seed), "modalities": names, "views": views})
    }

    fn interactions(&self, taken: usize, numbers: &mut Numbers) -> (Vec<u8>, Vec<u8>) {
        let (mut bounds, mut indices) = (0u64.to_le_bytes().to_vec(), Vec::new());
        for _ in 0..self.users {
            let mut row: Vec<u32> = (0..taken).map(|_| (numbers.next() % self.items as u64) as u32).collect();
            row.sort_unstable();
            row.dedup();
            indices.extend(row.iter().flat_map(|item| item.to_le_bytes()));
            bounds.extend((indices.len() as u64 / 4).to_le_bytes());
        }
        (bounds, indices)
    }
}

/// SplitMix64 (Steele, Lea & Flood, OOPSLA 2014).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Values of mean 0 and about unit variance as bytes: the sum of four uniform ones.
    fn rows(&mut self, values: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(values * 4);
        for _ in 0..values {
            let bits = self.next();
            let sum: f64 = (0..4).map(|k| f64::from((bits >> (16 * k)) as u16) / 65536.0 - 0.5).sum();
            bytes.extend(((sum * 3f64.sqrt()) as f32).to_le_bytes());
        }
        bytes
    }
}

/// Writes `items.jsonl`: objects by the raw ids of items.
pub fn describe(dir: &Path, items: &[(&str, Value)]) -> Result<()> {
    let mut text = String::new();
    for (id, object) in items {
        let mut object = object.clone();
        object["id"] = json!(id);
        text += &format!("{object}\n");
    }
    std::fs::write(dir.join("items.jsonl"), text)
}
