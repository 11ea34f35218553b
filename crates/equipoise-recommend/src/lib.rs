//! A trained model at work.
//!
//! * [`ServedModel`]: opened from a run without the data set; answers [`RecommendRequest`]s of known users, strangers and vectors, finds
//!   similar items and users, explains.
//! * [`ScoreWeights`]: how the parts of a score are weighted; [`calibrate`](fn@calibrate) chooses the weights on validation.
//! * [`fusion`](fn@fusion): the whole model, its channels and its calibrated weights on held-out interactions.
//! * [`prepare`]: makes a served model of a run: weights, folding in, what is known of items.

mod added_items;
mod adding;
mod answering;
mod askers;
#[cfg(feature = "parquet")]
mod batch;
mod block_names;
mod by_blocks;
mod calibrate;
mod calibration;
mod candidates;
mod channels;
mod choice;
mod descent;
mod directory;
mod error;
mod explain;
mod export;
mod feedback;
mod files;
mod filter;
mod fold_in;
mod fusion;
mod items;
mod joins;
mod judged;
mod manifest;
mod new_items;
mod output;
mod prepare;
mod request;
mod scorer;
mod served;
mod settings;
mod similar;
mod unknown;
mod weighting;

pub use added_items::AddedItems;
pub use adding::{AddItems, AddedReport, NewItem, add_items, read_new_items};
pub use askers::LARGEST_BASKET_WEIGHT;
#[cfg(feature = "parquet")]
pub use batch::{BATCH, Batch, BatchReport};
pub use calibrate::{WEIGHTS, calibrate};
pub use calibration::{Calibration, Weaker};
pub use choice::JUDGES;
pub use error::RecommendError;
pub use explain::Explanation;
pub use export::{ExportFile, ExportOptions, ExportReport, ExportTarget, TARGETS, Upload, export};
pub use feedback::Feedback;
pub use filter::{Bounds, Filter};
pub use fold_in::{FoldInChoice, FoldInSettings, FoldInStart, STEPS};
pub use fusion::{CalibratedFusion, HeldOutFusion, fusion};
pub use items::{ItemInfo, ItemInfos};
pub use manifest::{HalfChange, MANIFEST, Manifest};
pub use new_items::{BlockMapKind, NewItemsMade, NewItemsReport, prepare_new_items};
pub use prepare::{ServingOptions, calibrated, prepare, prepare_calibrated};
pub use request::{
    Answer, BasketItem, Because, ExplainRequest, Fallback, IDS, LONGEST_LIST, List, ListItem, ModelName,
    OnUnknown, RecommendRequest, Similar, SimilarRequest, SimilarUser, WeightedItem,
};
pub use served::ServedModel;
pub use settings::{SERVING, ServingSettings};
pub use weighting::{LARGEST_WEIGHT, ScoreWeights};
