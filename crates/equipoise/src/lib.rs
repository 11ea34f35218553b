//! **Equipoise** trains and diagnoses multimodal recommenders in which every modality pulls its weight.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let place = tempfile::tempdir()?;
//! # std::env::set_current_dir(place.path())?;
//! # let shape = equipoise::import::synthetic::DemoConfig { users: 200, items: 100, seed: 1 };
//! # equipoise::import::synthetic::write_demo("my-data".as_ref(), &shape)?;
//! use equipoise::prelude::*;
//!
//! let data = Dataset::open("my-data")?.missing(Fill::Mean).scale(Scale::L2).load()?; // the test part stays sealed
//! let done = Training::new(&data).backbone(Vbpr::default()).balancer(Ckd::default()).seed(1).run_in("runs/first")?;
//! println!("recall@20 {:.3}", done.metric("recall@20")?);
//! for hit in done.model().recommend("user-0042", 10)? {
//!     println!("{} {:.3}", hit.item, hit.score);
//! }
//! done.audit()?.write_html("report.html")?;
//! # Ok(())
//! # }
//! ```
//!
//! # The parts
//!
//! * [`Dataset`]: a data set and the settings it was loaded with, one value. Its test part is sealed. `DataTables` makes one of
//!   tables in memory (features `import` and `parquet`).
//! * [`Training`]: a chain of settings that ends in a [`TrainedRun`], in a directory or in memory.
//! * [`TrainedModel`]: recommends, compares and scores; opened from a run without the data set.
//! * `Audit`: which modality is under-used, in words, numbers and one page (feature `report`).
//! * [`evaluate`]: the same protocol for embeddings from anywhere.
//! * [`author`]: traits, registers and operations for backbones, balancers and layouts of your own.
//!
//! # Process policy
//!
//! This library changes nothing of the process it runs in. Two settings make training faster, and only a program may
//! choose them, in its `main`:
//!
//! * [`keep_freed_memory`], before any thread starts: glibc keeps the tables that each step frees in the process. The
//!   program `equipoise` does this.
//! * the number of threads: rayon's global pool is used as it is; [`Training::threads`] takes a pool of its own.
//!
//! # Features
//!
//! | feature | default | what it brings |
//! |---|---|---|
//! | `encode` | yes | [`mod@encode`]: features from texts and images |
//! | `import` | yes | [`mod@import`]: data sets from raw files, in other layouts, and synthetic ones |
//! | `parquet` | yes | Parquet files: data sets of the layout `equipoise`, tables and features; `per_user.parquet` of a run |
//! | `report` | yes | `Audit`, and pages of charts |
//! | `study` | yes | [`study`]: sweeps, pipelines, and papers repeated |
//! | `search-store` | yes | searches on disk, in SQLite: they outlive the process |
//! | `vulkan`, `cuda` | no | devices beside the processor |

pub mod author;
#[cfg(all(feature = "import", feature = "parquet"))]
mod data_tables;
mod dataset;
mod error;
mod evaluation;
mod json;
pub mod prelude;
mod table_names;
mod threads;
mod trained_model;
mod trained_run;
mod training;

#[cfg(all(feature = "import", feature = "parquet"))]
pub use data_tables::DataTables;
pub use dataset::{Dataset, DatasetLoader};
pub use equipoise_balance::{Agm, Arl, Ckd, Cml, Cohesion, G2d, Gb, MmPareto, Ogm, Unbalanced};
pub use equipoise_data::{
    FeatureScale as Scale, Features, Ids, Interactions, MissingFill as Fill, Vocabulary,
};
pub use equipoise_eval::{EvalConfig, Evaluation};
pub use equipoise_models::{
    Ablation, Bm3, BprMf, DeepStyle, EgoGcn, Freedom, Grcn, ItemKnn, LightGcn, Mgcn, Mmgcn, Popularity, Vbpr,
};
pub use equipoise_recommend::{
    Answer, BasketItem, ExplainRequest, Explanation, Filter, NewItem, RecommendRequest, ScoreWeights,
    ServedModel,
};
#[cfg(feature = "report")]
pub use equipoise_report::Audit;
pub use equipoise_train::memory::keep_freed as keep_freed_memory;
pub use equipoise_train::{EpochRecord, Event, Listener, Report, Run, RunConfig, StopFlag, TestReport};
pub use error::Error;
pub use evaluation::evaluate;
pub use json::read_json;
pub use threads::on_threads;
pub use trained_model::{EmbeddingTables, Hit, TrainedModel};
pub use trained_run::TrainedRun;
pub use training::Training;

#[cfg(feature = "encode")]
pub use equipoise_encode as encode;
#[cfg(feature = "study")]
pub use equipoise_study as study;

/// Making data sets: from raw files and tables, in other layouts, and synthetic ones.
#[cfg(feature = "import")]
pub mod import {
    pub use equipoise_data::formats::{has_split_column, item_column};
    pub use equipoise_data::{Columns, FeatureSource, LoadOptions, Shares, SplitRule};
    pub use equipoise_import::*;
}
