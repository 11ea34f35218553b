//! Layouts of data sets on disk: one file each, and one line each in `registry.rs`.
//!
//! A program adds a layout of its own with [`register`](register()): it implements [`Format`], reads what its files say
//! into a [`Gathered`], and hands faults to [`Faults`].

mod atomic_features;
mod category_file;
mod cells;
mod columns;
mod day_order;
mod delimited;
mod entry;
mod feature_rows;
mod files;
mod gathered;
mod id_list;
mod item_rows;
mod join;
mod json_object;
mod json_split;
mod lattice;
mod matrices;
mod missing_file;
mod mmrec;
mod modality_files;
mod moments;
#[cfg(feature = "parquet")]
mod native;
mod no_table;
mod npy;
mod npy_array;
mod npy_header;
mod npz;
mod numbering;
mod object_table;
#[cfg(feature = "parquet")]
mod parquet_cells;
#[cfg(feature = "parquet")]
mod parquet_features;
#[cfg(feature = "parquet")]
mod parquet_file;
#[cfg(feature = "parquet")]
mod parquet_footer;
#[cfg(feature = "parquet")]
mod parquet_pages;
#[cfg(feature = "parquet")]
mod parquet_shapes;
#[cfg(feature = "parquet")]
mod parquet_table;
mod placing;
mod recbole;
mod records;
mod registry;
mod row_counts;
mod row_ids;
mod sources;
mod sparse;
mod table;
mod table_options;
mod table_parts;
mod text_features;
#[cfg(feature = "parquet")]
mod thrift;
#[cfg(not(feature = "parquet"))]
mod without_parquet;

pub use category_file::{
    GatheredCategories, NAME as CATEGORIES, read as read_categories, write as write_categories,
};
pub use cells::{Cells, read_cells};
pub use columns::{Columns, has_split_column, item_column};
pub use entry::{Format, FormatEntry, NoOptions, ReadRequest};
pub use files::{directory_name, same_place};
pub use gathered::{Gathered, GatheredModality, GatheredShape, GatheredSplit};
pub(crate) use gathered::{oddities, with_every_item};
pub use id_list::read as read_id_list;
pub use item_rows::{ItemRow, read_item_rows};
pub use join::plain_number;
pub use missing_file::ENDING as MISSING_ENDING;
pub use modality_files::{read as read_features, read_sources};
#[cfg(feature = "parquet")]
pub use native::{NativeContents, NativeModality, write_native};
pub use npy::{float32_header, matrix_header, read_npy, write_npy, write_npy_as_stored};
pub use numbering::other_numbering;
pub use placing::ways_to_place_rows;
pub use records::Interner;
pub use registry::{detect, formats, gather, register};
pub use row_counts::RowCounts;
pub use row_ids::{has_row_ids, reserve_row_ids, row_ids_file, write_row_ids};
pub use sources::stem as feature_source_stem;
pub use table::{TableRows, read_table};
pub use table_options::TableOptions;

pub use crate::faults::Faults;
