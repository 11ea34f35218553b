//! Items that were not in training, from their features alone.
//!
//! Every block `b` of the final tables has a map from the scaled features of the modalities that it reads to the row of an item:
//!
//! ```text
//! z_b(i) = W_b x(i) + c_b,     x(i) = the features of i in the modalities of b, at the scale of the training
//! ```
//!
//! A block reads the modalities that are audible in each view that it belongs to: the block of the ids, which counts when every
//! modality is silenced, reads none. What the map is depends on what the block turns out to be, on all items of the training:
//!
//! | block | map |
//! |---|---|
//! | reads no modality | the mean row of the items that somebody took in training |
//! | the projection `W_m e + b_m` of one modality (VBPR) | that projection: exact |
//! | the projection less a vector of the item's category (DeepStyle) | the projection less the vector of the category where the new item names a known one, else less the mean vector |
//! | anything else (graphs, attention, fused rows) | ridge regression of the rows of the items that somebody took on their features |
//!
//! The projection is checked, not assumed: a block takes it if it gives the rows that training ended with. The ridge map is what a
//! graph backbone makes of the features of an item that has found its usual neighbours, which an isolated node does not have; its
//! penalty is chosen on items that it was not fitted to, see [`NewItemsReport`].
//!
//! All of it is made while the data set is there, and kept in `new_items.safetensors`, with which a served model takes new items
//! anywhere.

mod file;
mod fit;
mod judge;
mod maps;
mod projections;
mod ridge;

pub use fit::{NewItemsMade, prepare_new_items};
pub use maps::{BlockMapKind, NewItemsReport};

pub(crate) use file::{read as read_maps, write as write_maps};
pub(crate) use fit::{Found, maps_of};
pub(crate) use maps::{Content, ModalityInput, NewItemMaps};
