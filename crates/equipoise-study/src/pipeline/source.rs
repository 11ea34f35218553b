//! Where the data of a pipeline comes from.

use super::config::PipelineConfig;
use super::error::PipelineError;
use equipoise_data::{Columns, FieldError};
use std::path::{Path, PathBuf};

/// Where the data comes from, with what is read of each.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Raw Amazon reviews.
    Reviews {
        /// The reviews.
        reviews: PathBuf,
        /// Their metadata: texts and categories.
        meta: Option<PathBuf>,
        /// Their image features.
        image_features: Option<PathBuf>,
        /// Least reviews of a user and of an item.
        core: Option<u32>,
    },
    /// A table of interactions.
    Tables {
        /// The interactions.
        csv: PathBuf,
        /// Their columns.
        columns: Columns,
        /// Rows rated below are left out.
        min_rating: Option<f64>,
        /// The items: their titles are shown, and their contents encoded where that is asked for.
        items: Option<Box<ItemTable>>,
        /// Pictures by item.
        image_folder: Option<PathBuf>,
        /// Sounds by item.
        audio_folder: Option<PathBuf>,
    },
    /// A data set that is ready.
    Ready(PathBuf),
}

/// A table of items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemTable {
    /// The table.
    pub path: PathBuf,
    /// Columns whose texts are encoded.
    pub text: Vec<String>,
    /// Column with paths of pictures.
    pub image: Option<String>,
    /// Column with paths of sounds.
    pub audio: Option<String>,
}

/// Where the pictures, or the sounds, of the items are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemFiles<'a> {
    /// Paths in a column of a table, relative to it.
    Column(&'a Path, &'a str),
    /// Files in a folder, called by the raw ids of their items.
    Folder(&'a Path),
}

impl Source {
    /// The source that a configuration names.
    ///
    /// # Errors
    /// If it names none or several, or has a key that its source does not read.
    pub fn of(config: &PipelineConfig) -> Result<Source, PipelineError> {
        let source = match (&config.reviews, &config.csv, &config.data) {
            (Some(reviews), None, None) => Source::Reviews {
                reviews: reviews.clone(),
                meta: config.meta.clone(),
                image_features: config.image_features.clone(),
                core: config.core,
            },
            (None, Some(csv), None) => Source::Tables {
                csv: csv.clone(),
                columns: config.columns.clone(),
                min_rating: config.min_rating,
                items: items(config),
                image_folder: config.image_folder.clone(),
                audio_folder: config.audio_folder.clone(),
            },
            (None, None, Some(data)) => Source::Ready(data.clone()),
            (reviews, csv, data) => return Err(not_one(reviews.is_some(), csv.is_some(), data.is_some())),
        };
        source.refuse_unread(config)?;
        one_place("image", &config.image, &config.image_folder)?;
        one_place("audio", &config.audio, &config.audio_folder)?;
        Ok(source)
    }

    /// The table of items, if there is one.
    pub fn items(&self) -> Option<&ItemTable> {
        match self {
            Source::Tables { items, .. } => items.as_deref(),
            Source::Reviews { .. } | Source::Ready(_) => None,
        }
    }

    /// Whether there are texts to be encoded.
    pub fn has_texts(&self) -> bool {
        match self {
            Source::Reviews { meta, .. } => meta.is_some(),
            Source::Tables { items, .. } => items.as_ref().is_some_and(|items| !items.text.is_empty()),
            Source::Ready(_) => false,
        }
    }

    /// Where the pictures are, if pictures are encoded.
    pub fn pictures(&self) -> Option<ItemFiles<'_>> {
        let Source::Tables { items, image_folder, .. } = self else { return None };
        let column = || Some(ItemFiles::Column(&items.as_ref()?.path, items.as_ref()?.image.as_deref()?));
        image_folder.as_deref().map(ItemFiles::Folder).or_else(column)
    }

    /// The folder of pictures by item, if there is one.
    pub fn picture_folder(&self) -> Option<&Path> {
        self.pictures().and_then(|pictures| match pictures {
            ItemFiles::Folder(folder) => Some(folder),
            ItemFiles::Column(..) => None,
        })
    }

    /// Where the sounds are, if sounds are encoded.
    pub fn sounds(&self) -> Option<ItemFiles<'_>> {
        let Source::Tables { items, audio_folder, .. } = self else { return None };
        let column = || Some(ItemFiles::Column(&items.as_ref()?.path, items.as_ref()?.audio.as_deref()?));
        audio_folder.as_deref().map(ItemFiles::Folder).or_else(column)
    }

    /// Refuses keys that are given and that nothing reads.
    fn refuse_unread(&self, config: &PipelineConfig) -> Result<(), PipelineError> {
        for (key, value) in given(config) {
            if let Some(reader) = Reader::of(&key)
                && !reader.is_in(self)
            {
                let needed = reader.words();
                let error = FieldError::new(&key, value, format!("nothing, as only {needed} reads it"));
                return Err(error.hint(format!("leave it out, or give {needed}")).into());
            }
        }
        Ok(())
    }
}

fn items(config: &PipelineConfig) -> Option<Box<ItemTable>> {
    let path = config.items.clone()?;
    let (text, image, audio) = (config.text.clone(), config.image.clone(), config.audio.clone());
    Some(Box::new(ItemTable { path, text, image, audio }))
}

/// Pictures come from a column or from a folder, and so do sounds.
fn one_place(key: &str, column: &Option<String>, folder: &Option<PathBuf>) -> Result<(), PipelineError> {
    let (Some(column), Some(folder)) = (column, folder) else { return Ok(()) };
    let expected = format!("nothing, as {key} = {column:?} names a column of paths");
    Err(FieldError::new(&format!("{key}_folder"), folder.display(), expected)
        .hint("leave one of them out")
        .into())
}

fn not_one(reviews: bool, csv: bool, data: bool) -> PipelineError {
    let given = [("reviews", reviews), ("csv", csv), ("data", data)];
    let given: Vec<&str> = given.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect();
    let found = if given.is_empty() { "none".to_owned() } else { given.join(" and ") };
    FieldError::missing(&format!("{found} of reviews, csv and data given"), "exactly one of them").into()
}

/// The keys whose value is not the default, with their values.
fn given(config: &PipelineConfig) -> Vec<(String, serde_json::Value)> {
    let table =
        |config: &PipelineConfig| serde_json::to_value(config).expect("a configuration is plain data");
    let (own, default) = (table(config), table(&PipelineConfig::default()));
    let keys = own.as_object().into_iter().flatten();
    keys.filter(|(key, value)| default.get(key.as_str()) != Some(*value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// What reads a key.
#[derive(Clone, Copy)]
enum Reader {
    Reviews,
    Tables,
    Items,
    Pictures,
    Sounds,
    Texts,
    Raw,
}

impl Reader {
    /// The reader of a key; `None` if every source reads it.
    fn of(key: &str) -> Option<Reader> {
        match key {
            "meta" | "image_features" | "core" => Some(Reader::Reviews),
            "columns" | "min_rating" | "items" | "image_folder" | "audio_folder" => Some(Reader::Tables),
            "item_names" | "text" | "image" | "audio" => Some(Reader::Items),
            "image_model" => Some(Reader::Pictures),
            "audio_model" | "audio_seconds" => Some(Reader::Sounds),
            "text_model" | "text_pooling" | "text_prompt" | "text_dims" => Some(Reader::Texts),
            "features" | "split" | "shares" => Some(Reader::Raw),
            _ => None,
        }
    }

    fn is_in(self, source: &Source) -> bool {
        match self {
            Reader::Reviews => matches!(source, Source::Reviews { .. }),
            Reader::Tables => matches!(source, Source::Tables { .. }),
            Reader::Items => source.items().is_some(),
            Reader::Pictures => source.pictures().is_some(),
            Reader::Sounds => source.sounds().is_some(),
            Reader::Texts => source.has_texts(),
            Reader::Raw => !matches!(source, Source::Ready(_)),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Reader::Reviews => "reviews",
            Reader::Tables => "csv",
            Reader::Items => "items",
            Reader::Pictures => "image or image_folder",
            Reader::Sounds => "audio or audio_folder",
            Reader::Texts => "text or meta",
            Reader::Raw => "reviews or csv",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Result<Source, String> {
        let config: PipelineConfig = toml::from_str(text).unwrap();
        Source::of(&config).map_err(|error| error.to_string())
    }

    #[test]
    fn exactly_one_source_is_expected() {
        assert!(source("").unwrap_err().contains("none of reviews, csv and data given"));
        assert!(source("csv = \"a\"\ndata = \"b\"").unwrap_err().contains("csv and data of reviews"));
        assert_eq!(source("data = \"b\""), Ok(Source::Ready("b".into())));
    }

    #[test]
    fn a_key_that_the_source_does_not_read_is_refused_with_what_reads_it() {
        for (text, wanted) in [
            ("data = \"d\"\nmeta = \"m\"", "meta = \"m\": expected nothing, as only reviews reads it"),
            (
                "data = \"d\"\nsplit = \"ratio\"",
                "split = \"ratio\": expected nothing, as only reviews or csv reads it",
            ),
            ("reviews = \"r\"\nmin_rating = 3.0", "min_rating = 3.0: expected nothing, as only csv reads it"),
            ("csv = \"c\"\ntext = [\"t\"]", "expected nothing, as only items reads it"),
            ("data = \"d\"\nitems = \"i\"", "items = \"i\": expected nothing, as only csv reads it"),
            (
                "csv = \"c\"\nitems = \"i\"\nimage = \"p\"\naudio_seconds = 9",
                "audio_seconds = 9: expected nothing, as only audio or audio_folder reads it",
            ),
            (
                "csv = \"c\"\nitems = \"i\"\ntext = [\"t\"]\nimage_model = \"x\"",
                "image_model = \"x\": expected nothing, as only image or image_folder reads it",
            ),
            (
                "reviews = \"r\"\ntext_dims = 8",
                "text_dims = 8: expected nothing, as only text or meta reads it",
            ),
            ("data = \"d\"\nimage_folder = \"p\"", "expected nothing, as only csv reads it"),
            (
                "csv = \"c\"\nitems = \"i\"\nimage = \"p\"\nimage_folder = \"f\"",
                "expected nothing, as image = \"p\" names a column of paths (leave one of them out)",
            ),
        ] {
            let error = source(text).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
        let folder = source("csv = \"c\"\nimage_folder = \"f\"\nimage_model = \"x\"").unwrap();
        assert_eq!((folder.pictures(), folder.sounds()), (Some(ItemFiles::Folder(Path::new("f"))), None));
        assert!(source("reviews = \"r\"\nmeta = \"m\"\ntext_dims = 8\nsplit = \"ratio\"").is_ok());
    }
}
