//! Data sets as models see them: formats, vocabularies, splits, modality features, the graph, samplers and random
//! streams.
//!
//! ```
//! use equipoise_data::{LoadOptions, SplitRule, load};
//! let dir = tempfile::tempdir()?;
//! std::fs::write(dir.path().join("interactions.csv"), "user,item\na,x\na,y\na,z\nb,x\n")?;
//! let features = equipoise_data::Features::new(3, 2, vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0])?;
//! equipoise_data::formats::write_npy(&dir.path().join("text_feat.npy"), &features)?;
//! std::fs::write(dir.path().join("item_list.txt"), "x\t0\ny\t1\nz\t2\n")?;
//! let loaded = load(dir.path(), &LoadOptions { split: Some(SplitRule::Lattice), ..LoadOptions::default() })?;
//! assert_eq!(loaded.data.n_items(), 3);
//! assert_eq!(loaded.data.modalities[0].name, "text");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// Mapped features belong to the layout `equipoise`, which is made of Parquet files.
#![cfg_attr(not(feature = "parquet"), allow(dead_code))]

mod atomic;
mod catalogue;
mod categories;
mod caught;
mod check;
mod csr;
mod dataset;
mod device_cache;
mod digits;
mod error;
mod faults;
mod features;
mod field_error;
mod file_fault;
mod filling;
mod fingerprint;
pub mod formats;
pub mod graph;
mod ids;
mod in_words;
mod inflated;
mod interactions;
mod loading;
mod loudness;
mod mean_row;
mod missing;
mod options;
mod quoted;
mod random;
mod registered;
mod samplers;
mod scale;
mod split;
mod split_family;
mod stop;
mod suggest;
mod text;
mod threads;
mod triples;
mod unfinished;
mod vocabulary;

pub use atomic::{is_at, make_dirs, not_writable, parent, remove_parts, write_atomic};
pub use catalogue::{ITEM_INFOS, ItemIds, item_ids};
pub use categories::Categories;
pub use caught::caught;
pub use check::{DataReport, ModalityReport, SplitSizes, check};
pub use dataset::{Dataset, Loaded, SealedTest};
pub use device_cache::DeviceCache;
pub use digits::{first_digits, told_apart};
pub use error::DataError;
pub use features::{FeatureError, Features, Modality, f16};
pub use field_error::{FieldError, ranges};
pub use file_fault::{FileFault, is_input_fault};
pub use filling::MissingFill;
pub use formats::Columns;
pub use ids::Ids;
pub use in_words::in_words;
pub use interactions::Interactions;
pub use loading::load;
pub use loudness::{LOUD, Loudness};
pub use mean_row::MeanRow;
pub use missing::Missing;
pub use options::{FeatureSource, LoadOptions};
pub use quoted::{quoted, quoted_names, short};
pub use random::{Seed, Stream, StreamKey, StreamState};
pub use registered::Registered;
pub use samplers::{BprSampler, BprSampling, GenericSampler, SamplerError, paired_triples};
pub use scale::{FeatureScale, FrozenScale, LinearMap, leading_directions};
pub use split::{Dated, Holdout, Shares, SplitRule, Splitting, split_per_user};
pub use split_family::{SplitFacts, SplitFamily};
pub use stop::{Attended, StopFlag};
pub use suggest::closest;
pub use text::{
    LineFault, Lines, Quotes, Separator, TextEncoding, TextOptions, TextRows, read_text, unpacked,
    without_nan,
};
pub use threads::MOST_THREADS;
pub use triples::Triples;
pub use unfinished::{Unfinished, remove_unfinished};
pub use vocabulary::{Vocabulary, VocabularyError};
