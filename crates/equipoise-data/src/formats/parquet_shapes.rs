//! The structures of Parquet's format in which a file describes itself: fields by their number, and what each holds.
//!
//! A decoder goes by the number of a field and not by its type. Were a field of another type, the decoder would read on at another
//! byte than the one the structure says, and what it met there could keep it busy for minutes. So types are checked first; fields
//! that are not named here are passed over by their type, as a decoder does.

use super::thrift::Shape::{self, Byte, Bytes, Double, List, Number, Structure, Truth};

/// `FileMetaData`: what a footer is.
pub(super) const FOOTER: &[(i64, Shape)] = &[
    (1, Number), // version
    (2, List(&Structure(SCHEMA_ELEMENT))),
    (3, Number), // num_rows
    (4, List(&Structure(ROW_GROUP))),
    (5, List(&Structure(KEY_VALUE))),
    (6, Bytes), // created_by
    (7, List(&UNION_OF_EMPTY)),
    (8, Structure(&[])), // encryption_algorithm
    (9, Bytes),          // footer_signing_key_metadata
];

/// `PageHeader`: in front of every page.
pub(super) const PAGE: &[(i64, Shape)] = &[
    (1, Number), // type
    (2, Number), // uncompressed_page_size
    (3, Number), // compressed_page_size
    (4, Number), // crc
    (5, Structure(DATA_PAGE)),
    (6, Structure(&[])),                                     // index_page_header
    (7, Structure(&[(1, Number), (2, Number), (3, Truth)])), // dictionary_page_header
    (8, Structure(DATA_PAGE_V2)),
];

/// `DataPageHeader`.
pub(super) const DATA_PAGE: &[(i64, Shape)] = &[
    (1, Number), // num_values
    (2, Number), // encoding
    (3, Number), // definition_level_encoding
    (4, Number), // repetition_level_encoding
    (5, Structure(STATISTICS)),
];

/// `DataPageHeaderV2`.
pub(super) const DATA_PAGE_V2: &[(i64, Shape)] = &[
    (1, Number), // num_values
    (2, Number), // num_nulls
    (3, Number), // num_rows
    (4, Number), // encoding
    (5, Number), // definition_levels_byte_length
    (6, Number), // repetition_levels_byte_length
    (7, Truth),  // is_compressed
    (8, Structure(STATISTICS)),
];

const SCHEMA_ELEMENT: &[(i64, Shape)] = &[
    (1, Number), // type
    (2, Number), // type_length
    (3, Number), // repetition_type
    (4, Bytes),  // name
    (5, Number), // num_children
    (6, Number), // converted_type
    (7, Number), // scale
    (8, Number), // precision
    (9, Number), // field_id
    (10, Structure(LOGICAL_TYPE)),
];

/// A union: one of its fields is there.
const LOGICAL_TYPE: &[(i64, Shape)] = &[
    (1, EMPTY),                                  // string
    (2, EMPTY),                                  // map
    (3, EMPTY),                                  // list
    (4, EMPTY),                                  // enum
    (5, Structure(&[(1, Number), (2, Number)])), // decimal: scale, precision
    (6, EMPTY),                                  // date
    (7, Structure(TIME)),                        // time
    (8, Structure(TIME)),                        // timestamp
    (10, Structure(&[(1, Byte), (2, Truth)])),   // integer: width, whether it is signed
    (11, EMPTY),                                 // unknown
    (12, EMPTY),                                 // json
    (13, EMPTY),                                 // bson
    (14, EMPTY),                                 // uuid
    (15, EMPTY),                                 // float16
    (16, Structure(&[(1, Byte)])),               // variant: version
    (17, Structure(&[(1, Bytes)])),              // geometry: reference system
    (18, Structure(&[(1, Bytes), (2, Number)])), // geography: the same, algorithm
];

/// Whether it is adjusted to UTC, and the unit.
const TIME: &[(i64, Shape)] = &[(1, Truth), (2, UNION_OF_EMPTY)];

const ROW_GROUP: &[(i64, Shape)] = &[
    (1, List(&Structure(COLUMN_CHUNK))),
    (2, Number),                                                   // total_byte_size
    (3, Number),                                                   // num_rows
    (4, List(&Structure(&[(1, Number), (2, Truth), (3, Truth)]))), // sorting_columns
    (5, Number),                                                   // file_offset
    (6, Number),                                                   // total_compressed_size
    (7, Number),                                                   // ordinal
];

const COLUMN_CHUNK: &[(i64, Shape)] = &[
    (1, Bytes),  // file_path
    (2, Number), // file_offset
    (3, Structure(COLUMN)),
    (4, Number),         // offset_index_offset
    (5, Number),         // offset_index_length
    (6, Number),         // column_index_offset
    (7, Number),         // column_index_length
    (8, Structure(&[])), // crypto_metadata
    (9, Bytes),          // encrypted_column_metadata
];

/// `ColumnMetaData`.
const COLUMN: &[(i64, Shape)] = &[
    (1, Number),        // type
    (2, List(&Number)), // encodings
    (3, List(&Bytes)),  // path_in_schema
    (4, Number),        // codec
    (5, Number),        // num_values
    (6, Number),        // total_uncompressed_size
    (7, Number),        // total_compressed_size
    (8, List(&Structure(KEY_VALUE))),
    (9, Number),  // data_page_offset
    (10, Number), // index_page_offset
    (11, Number), // dictionary_page_offset
    (12, Structure(STATISTICS)),
    (13, List(&Structure(&[(1, Number), (2, Number), (3, Number)]))), // encoding_stats
    (14, Number),                                                     // bloom_filter_offset
    (15, Number),                                                     // bloom_filter_length
    (16, Structure(&[(1, Number), (2, List(&Number)), (3, List(&Number))])), // size_statistics
    (17, Structure(&[(1, Structure(BOX)), (2, List(&Number))])),      // geospatial_statistics
];

const STATISTICS: &[(i64, Shape)] = &[
    (1, Bytes),  // max
    (2, Bytes),  // min
    (3, Number), // null_count
    (4, Number), // distinct_count
    (5, Bytes),  // max_value
    (6, Bytes),  // min_value
    (7, Truth),  // is_max_value_exact
    (8, Truth),  // is_min_value_exact
    (9, Number), // nan_count
];

/// Least and greatest of four coordinates.
const BOX: &[(i64, Shape)] =
    &[(1, Double), (2, Double), (3, Double), (4, Double), (5, Double), (6, Double), (7, Double), (8, Double)];

const KEY_VALUE: &[(i64, Shape)] = &[(1, Bytes), (2, Bytes)];

const EMPTY: Shape = Structure(&[]);

/// A union of structures without fields.
const UNION_OF_EMPTY: Shape = Structure(&[(1, EMPTY), (2, EMPTY), (3, EMPTY)]);
