//! Data sets in: formats, vocabularies, splits, modality features, the demo generator, samplers and
//! random streams.
//!
//! ```
//! use equipoise_data::{DemoConfig, LoadOptions, load, write_demo};
//! let dir = tempfile::tempdir()?;
//! let config = DemoConfig { users: 60, items: 40, ..DemoConfig::default() };
//! write_demo(dir.path(), &config)?;
//! let loaded = load(dir.path(), &LoadOptions::default())?;
//! assert_eq!(loaded.data.n_items(), 40);
//! assert_eq!(loaded.data.modalities[1].name, "image");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod atomic;
mod attached;
mod catalogue;
mod categories;
mod check;
mod convert;
mod dataset;
mod demo;
mod error;
mod family;
mod faults;
mod features;
mod field_error;
mod fingerprint;
pub mod formats;
pub mod graph;
mod import;
mod interactions;
mod missing;
mod random;
mod samplers;
mod scale;
mod shop;
mod split;
mod vocabulary;
mod whole_dir;

pub use atomic::write_atomic;
pub use attached::Attached;
pub use catalogue::{ItemIds, item_ids};
pub use categories::Categories;
pub use check::{DataReport, ModalityReport, SplitSizes, check};
pub use convert::{Conversion, ConvertOptions, Target, convert};
pub use dataset::{Dataset, FeatureSource, LoadOptions, Loaded, SealedTest, load};
pub use demo::{DemoConfig, write_demo};
pub use error::DataError;
pub use family::{SplitFacts, SplitFamily};
pub use features::{FeatureError, Features, Modality, Stored, f16};
pub use field_error::{FieldError, ranges};
pub use formats::{Columns, Format, formats};
pub use import::{
    AmazonConfig, BadLines, ImageCounts, ImportReport, MadeUpAmazon, MadeUpFiles, MetaCounts, Release,
    ReviewCounts, Size, TableImport, TextRule, import_amazon, import_table, write_made_up_amazon,
};
pub use interactions::Interactions;
pub use missing::{Missing, MissingFill};
pub use random::{Seed, Stream, StreamKey, StreamState};
pub use samplers::{BprSampler, BprSampling, GenericSampler, SamplerError, Triples, paired_triples};
pub use scale::{FeatureScale, LinearMap, leading_directions};
pub use shop::{ShopConfig, write_shop};
pub use split::{Holdout, Shares, SplitRule, split_per_user};
pub use vocabulary::{Vocabulary, VocabularyError};
