//! The files of the features: `<name>_feat.npy`, `<name>_feat_ids.json`, `<name>_missing.json` and `<name>_encoder.json`.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use equipoise_data::formats::{
    feature_source_stem, float32_header, has_row_ids, reserve_row_ids, write_row_ids,
};
use equipoise_data::{ItemIds, MeanRow, quoted, short, write_atomic};

use super::report::{BrokenItem, EncodeReport};
use crate::error::EncodeError;
use crate::json;

/// Where features go.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Directory.
    pub(crate) dir: PathBuf,
    /// Name of the modality.
    pub(crate) name: String,
    /// Whether features that are there may be replaced.
    pub(crate) overwrite: bool,
}

/// Gives item and row of everything that was encoded to a function, in a fixed order.
pub(crate) trait Output {
    /// Calls `each` for every encoded item.
    ///
    /// # Errors
    /// What `each` returns, and what the file system says.
    fn rows(&mut self, each: &mut dyn FnMut(u32, &[f32]) -> io::Result<()>) -> io::Result<()>;
}

impl Place {
    /// `out`, or the directory of the data set; it is made where it is not there.
    ///
    /// # Errors
    /// If the data set has a layout that names its features itself, or the directory cannot be made.
    pub(crate) fn of(
        data: &Path,
        items: &ItemIds,
        out: Option<&Path>,
        name: &str,
        overwrite: bool,
    ) -> Result<Place, EncodeError> {
        let dir = match out {
            Some(out) => out.to_owned(),
            None if items.format == "equipoise" => {
                let problem = "the manifest of this layout names its features; give --out, then convert the data again with \
                               --features NAME=FILE, or encode the data that it was converted from"
                    .into();
                return Err(EncodeError::Output { path: data.to_owned(), problem });
            }
            None if data.is_dir() => data.to_owned(),
            None => data.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned(),
        };
        std::fs::create_dir_all(&dir).map_err(EncodeError::io(&dir))?;
        Ok(Place { dir, name: name.to_owned(), overwrite })
    }

    /// Checks the name.
    ///
    /// # Errors
    /// If it cannot be part of a file's name.
    pub(crate) fn check(&self) -> Result<(), EncodeError> {
        let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if !self.name.is_empty() && self.name.chars().all(safe) && !self.name.ends_with("_feat") {
            return Ok(());
        }
        let expected = "a name of letters, digits, - and _".into();
        Err(EncodeError::Setting { field: "name", found: self.name.clone(), expected })
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.dir.join(format!("{}_{ending}", self.name))
    }

    /// The report of features that were made from the same contents, model and settings and are as they were written. An
    /// earlier version did not write down whose row is whose; the fingerprint knows the items in their order.
    ///
    /// # Errors
    /// If the features cannot be read, or the ids of their rows cannot be written.
    pub(crate) fn up_to_date(
        &self,
        fingerprint: &str,
        ids: &[String],
    ) -> Result<Option<EncodeReport>, EncodeError> {
        let (features, missing) = (self.file("feat.npy"), self.file("missing.json"));
        let known = json::read_if_there::<EncodeReport>(&self.file("encoder.json")).ok().flatten();
        let Some(known) = known.filter(|known| known.fingerprint == fingerprint) else {
            return Ok(None);
        };
        if !features.is_file() || !missing.is_file() || hash(&features)? != known.features {
            return Ok(None);
        }
        let ids = ids.iter().collect();
        if !has_row_ids(&features, &ids)? {
            write_row_ids(&features, &ids)?;
        }
        Ok(Some(EncodeReport { up_to_date: true, ..known }))
    }

    /// Refuses to replace features unless that was asked for.
    ///
    /// # Errors
    /// If there are features of this name.
    pub(crate) fn refuse_occupied(&self) -> Result<(), EncodeError> {
        let mut taken: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(&self.dir).map_err(EncodeError::io(&self.dir))? {
            let file = entry.map_err(EncodeError::io(&self.dir))?.path();
            if feature_source_stem(&file) == Some(&format!("{}_feat", self.name)) {
                taken.push(file);
            }
        }
        taken.sort();
        match &taken[..] {
            [] => Ok(()),
            [only] if *only == self.file("feat.npy") && self.overwrite => Ok(()),
            [first, ..] => {
                let problem = if *first == self.file("feat.npy") && taken.len() == 1 {
                    "these features are there already; replace them with --overwrite, or choose another --name"
                } else {
                    "features of this name are there in another format; choose another --name or remove them"
                };
                Err(EncodeError::Output { path: first.clone(), problem: problem.into() })
            }
        }
    }

    /// The fault that nothing can be encoded, with the first reason where contents are there and broken.
    pub(crate) fn no_content(&self, report: &EncodeReport) -> EncodeError {
        let problem = match report.broken.first() {
            None => format!("no item has content in {}; give the contents of these items", report.source),
            Some(BrokenItem { item, reason }) => format!(
                "nothing in {} can be read, {} items in all; the first, {}: {}",
                report.source,
                report.broken.len(),
                quoted(item),
                short(reason)
            ),
        };
        EncodeError::Output { path: self.file("feat.npy"), problem }
    }

    /// Writes the four files; `report` gets what follows from them. `ids` are those of the items, by index.
    ///
    /// Items without a row are given the mean of the others, in the order of `rows`.
    ///
    /// # Errors
    /// If no item has a row, a value is not finite, or the file system refuses.
    pub(crate) fn write(
        &self,
        rows: &mut dyn Output,
        ids: &[String],
        report: &mut EncodeReport,
    ) -> Result<(), EncodeError> {
        let missing = self.survey(rows, report)?;
        let features = self.file("feat.npy");
        // Until the ids of these rows are there, nobody takes them for those of other rows.
        reserve_row_ids(&features)?;
        write_atomic(&features, |out| matrix(out.get_mut(), rows, report, &missing))
            .map_err(EncodeError::io(&features))?;
        report.features = hash(&features)?;
        report.missing = missing.items.len();
        self.text("missing.json", &serde_json::to_string(&missing.items).expect("numbers are JSON"))?;
        write_row_ids(&features, &ids.iter().collect())?;
        self.text("encoder.json", &serde_json::to_string_pretty(report).expect("names and numbers are JSON"))
    }

    fn text(&self, ending: &str, text: &str) -> Result<(), EncodeError> {
        let file = self.file(ending);
        write_atomic(&file, |out| writeln!(out, "{text}")).map_err(EncodeError::io(&file))
    }

    /// The items without a row, and the mean of the rows.
    fn survey(&self, rows: &mut dyn Output, report: &EncodeReport) -> Result<Missing, EncodeError> {
        let (mut there, mut odd) = (vec![false; report.rows], None);
        let mut mean = MeanRow::new(report.width);
        let read = rows.rows(&mut |item, row| {
            there[item as usize] = true;
            mean.add(row);
            if odd.is_none() && row.iter().any(|v| !v.is_finite()) {
                odd = Some(item);
            }
            Ok(())
        });
        read.map_err(EncodeError::io(&self.dir))?;
        let path = self.file("feat.npy");
        if let Some(item) = odd {
            let problem =
                format!("the row of item {item} is not finite; the model cannot encode it in float32");
            return Err(EncodeError::Output { path, problem });
        }
        let items: Vec<u32> = (0..report.rows as u32).filter(|&item| !there[item as usize]).collect();
        let mean = mean.mean().ok_or_else(|| self.no_content(report))?;
        Ok(Missing { items, mean })
    }
}

/// Rows in memory.
pub(crate) struct Memory {
    /// Item of each row.
    pub(crate) items: Vec<u32>,
    pub(crate) rows: Vec<f32>,
    pub(crate) width: usize,
}

impl Output for Memory {
    fn rows(&mut self, each: &mut dyn FnMut(u32, &[f32]) -> io::Result<()>) -> io::Result<()> {
        self.items.iter().zip(self.rows.chunks_exact(self.width)).try_for_each(|(&item, row)| each(item, row))
    }
}

struct Missing {
    items: Vec<u32>,
    mean: Vec<f32>,
}

fn matrix(out: &mut File, rows: &mut dyn Output, report: &EncodeReport, missing: &Missing) -> io::Result<()> {
    let header = float32_header(report.rows, report.width);
    out.write_all(&header)?;
    let mut bytes = Vec::with_capacity(4 * report.width);
    let mut put = |item: u32, row: &[f32]| {
        bytes.clear();
        bytes.extend(row.iter().flat_map(|v| v.to_le_bytes()));
        out.seek(SeekFrom::Start(header.len() as u64 + u64::from(item) * bytes.len() as u64))?;
        out.write_all(&bytes)
    };
    rows.rows(&mut put)?;
    missing.items.iter().try_for_each(|&item| put(item, &missing.mean))
}

fn hash(file: &Path) -> Result<String, EncodeError> {
    let mut hasher = blake3::Hasher::new();
    let opened = File::open(file).map_err(EncodeError::io(file))?;
    hasher.update_reader(opened).map_err(EncodeError::io(file))?;
    Ok(hasher.finalize().to_hex().to_string())
}
