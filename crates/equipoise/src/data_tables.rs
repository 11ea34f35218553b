//! A data set from tables in memory.

use crate::dataset::DatasetLoader;
use crate::table_names::TableNames;
use crate::{Dataset, Error};
use arrow_array::RecordBatch;
use equipoise_data::formats::{ItemRow, write_npy_as_stored, write_row_ids};
use equipoise_data::{DataError, Features, ITEM_INFOS, LoadOptions, make_dirs, write_atomic};
use equipoise_import::{ConvertOptions, Target, convert};
use parquet::arrow::ArrowWriter;
use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

/// A data set in memory: interactions in Arrow batches, features by raw id, what is known of items.
///
/// It is written in the layout `equipoise` and opened from there, so that features are mapped into memory, every check of files
/// holds for tables too, and runs can name the data that they were made of.
///
/// | part | what it gives |
/// |---|---|
/// | [`new`](Self::new) | interactions: the columns that [`LoadOptions::columns`] names or guesses |
/// | [`held_out`](Self::held_out) | validation and test, where they are tables of their own |
/// | [`items`](Self::items) | the catalogue in its order, with titles and attributes |
/// | [`features`](Self::features) | one row per item, joined by raw id |
/// | [`texts`](Self::texts) | features that an encoder makes of texts |
/// | [`options`](Self::options) | columns, threshold, split; features in files |
///
/// ```
/// use arrow_array::{ArrayRef, RecordBatch, StringArray};
/// use equipoise::{DataTables, Features};
/// use equipoise::import::{LoadOptions, SplitRule};
/// use std::sync::Arc;
/// let column = |cells: &[&str]| Arc::new(StringArray::from(cells.to_vec())) as ArrayRef;
/// let clicks = RecordBatch::try_from_iter([
///     ("user", column(&["u", "u", "u", "v", "v", "v"])),
///     ("item", column(&["a", "b", "c", "c", "b", "a"])),
/// ])?;
/// let ids = ["c", "b", "a"].map(String::from).to_vec();
/// let tables = DataTables::new(vec![clicks])
///     .features("text", Some(ids), Features::new(3, 1, vec![3.0, 2.0, 1.0])?)
///     .options(LoadOptions { split: Some(SplitRule::LeaveOneOut), ..LoadOptions::default() });
/// let data = tables.temporary()?.load()?;
/// assert_eq!((data.n_users(), data.features("text")?.row(0).to_vec()), (2, vec![1.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is written before `save_to` or `temporary`"]
pub struct DataTables {
    interactions: Vec<RecordBatch>,
    held_out: [Vec<RecordBatch>; 2],
    items: Vec<ItemRow>,
    features: Vec<FeatureRowsById>,
    #[cfg(feature = "encode")]
    texts: Vec<TextsById>,
    options: LoadOptions,
}

/// Features with the raw id of each row.
#[derive(Clone, Debug)]
struct FeatureRowsById {
    name: String,
    ids: Option<Vec<String>>,
    rows: Features,
}

/// Texts with their raw ids.
#[cfg(feature = "encode")]
#[derive(Clone, Debug)]
struct TextsById {
    name: String,
    model: String,
    texts: Vec<(String, String)>,
}

impl DataTables {
    /// Interactions, one row each.
    pub fn new(interactions: Vec<RecordBatch>) -> DataTables {
        DataTables {
            interactions,
            held_out: Default::default(),
            items: Vec::new(),
            features: Vec::new(),
            #[cfg(feature = "encode")]
            texts: Vec::new(),
            options: LoadOptions::default(),
        }
    }

    /// The same with validation and test as tables of their own; what [`new`](Self::new) was given is train.
    pub fn held_out(self, validation: Vec<RecordBatch>, test: Vec<RecordBatch>) -> DataTables {
        DataTables { held_out: [validation, test], ..self }
    }

    /// The same with the catalogue: raw ids in their order, each with what is known of the item (`title`, `picture`, `category` and
    /// anything else). Items that only interactions name come after them.
    pub fn items(self, items: Vec<ItemRow>) -> DataTables {
        DataTables { items, ..self }
    }

    /// The same with features of a modality. `ids` holds the raw id of each row. Without it rows are taken in the order of the
    /// catalogue where there is one, or of items that are called 0 to `rows - 1`; anything else is refused when it is read.
    pub fn features(
        mut self,
        name: impl Into<String>,
        ids: Option<Vec<String>>,
        rows: Features,
    ) -> DataTables {
        self.features.push(FeatureRowsById { name: name.into(), ids, rows });
        self
    }

    /// The same with features of texts, each with its raw id: `model` is `builtin` or the directory of an encoder.
    #[cfg(feature = "encode")]
    pub fn texts(
        mut self,
        name: impl Into<String>,
        model: impl Into<String>,
        texts: Vec<(String, String)>,
    ) -> DataTables {
        self.texts.push(TextsById { name: name.into(), model: model.into(), texts });
        self
    }

    /// The same with columns, a threshold of ratings, a rule for the split, and features in files.
    pub fn options(self, options: LoadOptions) -> DataTables {
        DataTables { options, ..self }
    }

    /// Writes the data set to a directory, whole or not at all, and opens it.
    ///
    /// # Errors
    /// Whatever makes tables or features unfit, by the names of the tables ([`Error::Tables`]); a place that is taken, unless a data set that was made so may be replaced.
    pub fn save_to(self, dir: impl AsRef<Path>, overwrite: bool) -> Result<DatasetLoader, Error> {
        let place = temporary_place()?;
        let tables = place.path().join("tables");
        let names = self.names(&tables);
        self.write(&tables).map_err(|fault| names.fault(fault))?;
        let how = ConvertOptions { overwrite, ..ConvertOptions::default() };
        let done = convert(&tables, &self.options, Target::Equipoise, dir.as_ref(), &how);
        let done = done.map_err(|fault| names.fault(fault))?;
        let notes = done.notes.iter().map(|note| names.said(note)).collect();
        Ok(Dataset::open(dir.as_ref())?.noting(notes))
    }

    /// What the files in a directory are called in messages.
    fn names(&self, dir: &Path) -> TableNames {
        let mut names = TableNames::new(dir);
        for (file, table) in
            [("interactions", "interactions"), ("train", "train"), ("val", "validation"), ("test", "test")]
        {
            names.file(&dir.join(format!("{file}.parquet")), table);
        }
        names.file(&dir.join("item_list.txt"), "items");
        names.file(&dir.join(ITEM_INFOS), "items");
        let modalities = self.features.iter().map(|given| &given.name);
        #[cfg(feature = "encode")]
        let modalities = modalities.chain(self.texts.iter().map(|given| &given.name));
        for name in modalities {
            names.file(&dir.join(format!("{name}_feat.npy")), name);
            names.file(&dir.join(format!("{name}_feat_ids.json")), &format!("ids of {name}"));
            names.file(&dir.join(format!("{name}_texts.jsonl")), &format!("texts of {name}"));
        }
        names
    }

    /// The same in a temporary directory, which is there as long as the data set and its models.
    ///
    /// # Errors
    /// As [`save_to`](Self::save_to).
    pub fn temporary(self) -> Result<DatasetLoader, Error> {
        let place = temporary_place()?;
        let dir = place.path().join("data");
        Ok(self.save_to(&dir, false)?.keeping(place))
    }

    fn write(&self, dir: &Path) -> Result<(), Error> {
        make_dirs(dir).map_err(DataError::io(dir))?;
        let parts = if self.held_out.iter().all(Vec::is_empty) {
            vec![("interactions", &self.interactions)]
        } else {
            vec![("train", &self.interactions), ("val", &self.held_out[0]), ("test", &self.held_out[1])]
        };
        for (name, batches) in parts {
            write_table(&dir.join(format!("{name}.parquet")), batches)?;
        }
        self.write_items(dir)?;
        for FeatureRowsById { name, ids, rows } in &self.features {
            let file = dir.join(format!("{}_feat.npy", checked_name(name)?));
            write_npy_as_stored(&file, rows)?;
            if let Some(ids) = ids {
                check_ids(name, ids, rows.rows())?;
                write_row_ids(&file, &ids.iter().collect())?;
            }
        }
        #[cfg(feature = "encode")]
        self.encode(dir)?;
        Ok(())
    }

    /// The list of the catalogue, and what is known of its items.
    fn write_items(&self, dir: &Path) -> Result<(), Error> {
        if self.items.is_empty() {
            return Ok(());
        }
        let (list, infos) = (dir.join("item_list.txt"), dir.join(ITEM_INFOS));
        let fault = |problem: String| unfit("items", problem);
        let mut seen = HashSet::with_capacity(self.items.len());
        for (id, _) in &self.items {
            if id.trim() != id || id.is_empty() || id.contains(['\t', '\n', '\r']) {
                let id = equipoise_data::quoted(id);
                return Err(fault(format!(
                    "id {id}, expected a text without tabs, line breaks and blanks at its ends"
                )));
            }
            if !seen.insert(id) {
                return Err(fault(format!(
                    "{} occurs twice; keep one row of it",
                    equipoise_data::quoted(id)
                )));
            }
        }
        write_atomic(&list, |file| {
            let mut lines = self.items.iter().enumerate();
            lines.try_for_each(|(index, (id, _))| writeln!(file, "{id}\t{index}"))
        })
        .map_err(DataError::io(&list))?;
        let known: Vec<&ItemRow> = self.items.iter().filter(|(_, known)| !known.is_empty()).collect();
        if known.is_empty() {
            return Ok(());
        }
        write_atomic(&infos, |file| {
            known.iter().try_for_each(|(id, known)| {
                let mut object = known.clone();
                object.insert("id".into(), id.clone().into());
                serde_json::to_writer(&mut *file, &object)?;
                file.write_all(b"\n")
            })
        })
        .map_err(DataError::io(&infos))?;
        Ok(())
    }

    #[cfg(feature = "encode")]
    fn encode(&self, dir: &Path) -> Result<(), Error> {
        use equipoise_encode::{TextRequest, encode_texts};
        for TextsById { name, model, texts } in &self.texts {
            let file = dir.join(format!("{}_texts.jsonl", checked_name(name)?));
            write_atomic(&file, |out| {
                texts.iter().try_for_each(|(id, text)| {
                    serde_json::to_writer(&mut *out, &serde_json::json!({"id": id, "text": text}))?;
                    out.write_all(b"\n")
                })
            })
            .map_err(DataError::io(&file))?;
            let request = TextRequest {
                data: dir.to_owned(),
                model: model.clone(),
                name: name.clone(),
                texts: Some(file),
                ..TextRequest::default()
            };
            encode_texts(&request, &mut |_: &_| {})?;
        }
        Ok(())
    }
}

/// Writes batches as one Parquet file. Types are kept as Parquet has them.
fn write_table(file: &Path, batches: &[RecordBatch]) -> Result<(), Error> {
    let broken = |problem: String| DataError::Parquet { file: file.to_owned(), problem };
    let Some(first) = batches.first() else {
        return Err(broken("no table was given; expected columns of users and items".into()).into());
    };
    let out = std::fs::File::create(file).map_err(DataError::io(file))?;
    let written = ArrowWriter::try_new(out, first.schema(), None).and_then(|mut writer| {
        batches.iter().try_for_each(|batch| writer.write(batch))?;
        writer.close()
    });
    written.map(drop).map_err(|e| broken(e.to_string()).into())
}

/// A modality's name is part of file names.
fn checked_name(name: &str) -> Result<&str, Error> {
    let fits = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\']);
    if fits {
        Ok(name)
    } else {
        let found = equipoise_data::quoted(name);
        Err(unfit("features", format!("a modality {found}, expected a name that a file may have")))
    }
}

fn check_ids(name: &str, ids: &[String], rows: usize) -> Result<(), Error> {
    if ids.len() == rows {
        Ok(())
    } else {
        Err(unfit("features", format!("{name}: {rows} rows, but {} ids; give each row its id", ids.len())))
    }
}

fn unfit(place: &str, problem: String) -> Error {
    DataError::Entry { file: "tables".into(), place: place.to_owned(), problem }.into()
}

fn temporary_place() -> Result<tempfile::TempDir, Error> {
    tempfile::tempdir().map_err(|e| Error::System(format!("no temporary directory: {e}")))
}
