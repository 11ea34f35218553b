//! Makes data sets: raw files to a data set, one layout into another, synthetic data of known properties.
//!
//! [`import_amazon`] and [`import_table`] write a directory in the LATTICE layout:
//!
//! ```text
//! <dir>/5-core/train.json, val.json, test.json, user_list.txt, item_list.txt, categories.json
//! <dir>/texts.jsonl                            {"id": raw item id, "text": ...} for a text encoder
//! <dir>/image_feat.npy, image_missing.json     features of images, and the items without
//! <dir>/import.json                            settings and counts of everything kept and left out
//! ```
//!
//! The texts, categories and images are there only if the raw files have them. [`convert`](convert()) writes a data set
//! in another layout, and [`synthetic`] makes data up.
//!
//! ```
//! use equipoise_data::{LoadOptions, load};
//! use equipoise_import::synthetic::{DemoConfig, write_demo};
//! let dir = tempfile::tempdir()?;
//! write_demo(dir.path(), &DemoConfig { users: 60, items: 40, ..DemoConfig::default() })?;
//! let loaded = load(dir.path(), &LoadOptions::default())?;
//! assert_eq!(loaded.data.n_items(), 40);
//! assert_eq!(loaded.data.modalities[1].name, "image");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod amazon;
mod convert;
mod files;
mod item_table;
mod lattice_files;
mod output;
mod stream;
pub mod synthetic;
mod table;

pub use amazon::{
    AmazonConfig, BadLines, ImageCounts, ImportReport, MetaCounts, Release, ReviewCounts, Size, TextRule,
    import_amazon,
};
pub use convert::{Conversion, ConvertOptions, Target, convert};
pub use item_table::{ItemColumns, ItemKnowledge};
pub use table::{TableImport, import_table};
