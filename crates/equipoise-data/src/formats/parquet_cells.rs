//! Cells of Parquet columns, of whatever type they were written.
//!
//! | wanted | types |
//! |---|---|
//! | texts and ids | texts of every kind, bytes that are UTF-8, whole numbers of every width, decimals and floats whose values are whole, dictionaries of these |
//! | numbers | integers, floats, decimals, texts that are numbers, dictionaries of these |
//! | moments | timestamps of every unit, dates, numbers, texts; see `moments` |
//! | lists | lists of every kind of floats or integers |

use crate::quoted::quoted;
use arrow_array::cast::AsArray;
use arrow_array::temporal_conversions::SECONDS_IN_DAY;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use serde_json::Value;

use super::moments::{Moment, MomentKind};
use super::records;

/// Why a column cannot serve.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Its type.
    Type,
    /// A cell: the row among those at hand, and what is wrong.
    Cell(usize, String),
}

impl Unfit {
    /// In words, of the column `name`, whose rows at hand begin with number `first`.
    pub(crate) fn words(&self, name: &str, column: &ArrayRef, first: usize, expected: &str) -> String {
        match self {
            Unfit::Type => {
                let found = column.data_type().to_string();
                format!("column {} is {found:.60}, expected {expected}; convert it", quoted(name))
            }
            Unfit::Cell(row, problem) => format!("row {}: column {}: {problem}", first + row, quoted(name)),
        }
    }
}

/// The cells of a column as texts: texts as they are, whole numbers in decimals.
pub(crate) enum Texts<'a> {
    Small(&'a arrow_array::StringArray),
    Large(&'a arrow_array::LargeStringArray),
    View(&'a arrow_array::StringViewArray),
    Bytes(Vec<Option<&'a str>>),
    Whole(Vec<Option<i128>>),
    Keyed(Vec<Option<usize>>, Box<Texts<'a>>),
    Empty,
}

impl<'a> Texts<'a> {
    /// The texts of a column.
    ///
    /// # Errors
    /// If it holds anything else, or bytes that are no UTF-8, or a number that is not whole.
    pub(crate) fn of(column: &'a ArrayRef) -> Result<Texts<'a>, Unfit> {
        Ok(match column.data_type() {
            DataType::Utf8 => Texts::Small(column.as_string()),
            DataType::LargeUtf8 => Texts::Large(column.as_string()),
            DataType::Utf8View => Texts::View(column.as_string_view()),
            DataType::Binary => utf8(column.as_binary::<i32>().iter())?,
            DataType::LargeBinary => utf8(column.as_binary::<i64>().iter())?,
            DataType::BinaryView => utf8(column.as_binary_view().iter())?,
            DataType::FixedSizeBinary(_) => utf8(column.as_fixed_size_binary().iter())?,
            DataType::Dictionary(..) => {
                let values = Texts::of(column.as_any_dictionary().values()).map_err(of_dictionary)?;
                Texts::Keyed(keys(column), Box::new(values))
            }
            DataType::Null => Texts::Empty,
            _ => Texts::Whole(wholes(column)?),
        })
    }

    /// Gives the text of a row to `take`; `None` for an empty cell.
    pub(crate) fn with<T>(&self, row: usize, take: impl FnOnce(Option<&str>) -> T) -> T {
        match self {
            Texts::Small(a) => take(a.is_valid(row).then(|| a.value(row))),
            Texts::Large(a) => take(a.is_valid(row).then(|| a.value(row))),
            Texts::View(a) => take(a.is_valid(row).then(|| a.value(row))),
            Texts::Bytes(cells) => take(cells[row]),
            Texts::Whole(cells) => match cells[row] {
                Some(value) => take(Some(&value.to_string())),
                None => take(None),
            },
            Texts::Keyed(keys, values) => match keys[row] {
                Some(key) => values.with(key, take),
                None => take(None),
            },
            Texts::Empty => take(None),
        }
    }

    /// What `read` makes of every text.
    fn each<T>(
        &self,
        rows: usize,
        read: fn(&str) -> Result<Option<T>, String>,
    ) -> Result<Vec<Option<T>>, Unfit> {
        let one = |row| {
            self.with(row, |cell| cell.map_or(Ok(None), read)).map_err(|problem| Unfit::Cell(row, problem))
        };
        (0..rows).map(one).collect()
    }
}

/// A cell that is wrong in a dictionary is in no row of its own.
fn of_dictionary(unfit: Unfit) -> Unfit {
    match unfit {
        Unfit::Cell(_, problem) => Unfit::Cell(0, format!("or a later row: {problem}")),
        Unfit::Type => Unfit::Type,
    }
}

fn utf8<'a>(cells: impl Iterator<Item = Option<&'a [u8]>>) -> Result<Texts<'a>, Unfit> {
    let text = |(row, cell): (usize, Option<&'a [u8]>)| match cell.map(std::str::from_utf8) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(_)) => Err(Unfit::Cell(row, "bytes that are no UTF-8; write texts".into())),
    };
    Ok(Texts::Bytes(cells.enumerate().map(text).collect::<Result<_, _>>()?))
}

/// The place of each row's value in a dictionary.
fn keys(column: &ArrayRef) -> Vec<Option<usize>> {
    let dictionary = column.as_any_dictionary();
    let places = dictionary.normalized_keys();
    places.into_iter().enumerate().map(|(row, key)| dictionary.keys().is_valid(row).then_some(key)).collect()
}

/// The values of a dictionary's rows, read with `of`.
fn keyed<T: Clone>(
    column: &ArrayRef,
    of: fn(&ArrayRef) -> Result<Vec<Option<T>>, Unfit>,
) -> Result<Vec<Option<T>>, Unfit> {
    let values = of(column.as_any_dictionary().values()).map_err(of_dictionary)?;
    Ok(keys(column).into_iter().map(|key| key.and_then(|key| values[key].clone())).collect())
}

/// Every cell, converted.
fn primitive<P: ArrowPrimitiveType, T>(
    column: &ArrayRef,
    convert: impl Fn(P::Native) -> T,
) -> Vec<Option<T>> {
    column.as_primitive::<P>().iter().map(|cell| cell.map(&convert)).collect()
}

/// The cells of whole-number types.
fn integers(column: &ArrayRef) -> Option<Vec<Option<i128>>> {
    Some(match column.data_type() {
        DataType::Int8 => primitive::<Int8Type, _>(column, i128::from),
        DataType::Int16 => primitive::<Int16Type, _>(column, i128::from),
        DataType::Int32 => primitive::<Int32Type, _>(column, i128::from),
        DataType::Int64 => primitive::<Int64Type, _>(column, i128::from),
        DataType::UInt8 => primitive::<UInt8Type, _>(column, i128::from),
        DataType::UInt16 => primitive::<UInt16Type, _>(column, i128::from),
        DataType::UInt32 => primitive::<UInt32Type, _>(column, i128::from),
        DataType::UInt64 => primitive::<UInt64Type, _>(column, i128::from),
        _ => return None,
    })
}

/// The digits of decimals, and how many of them stand after the point; a cell of more than 38 digits is `None` within.
type Digits = (Vec<Option<Option<i128>>>, i8);

fn decimals(column: &ArrayRef) -> Option<Digits> {
    Some(match *column.data_type() {
        DataType::Decimal32(_, scale) => (primitive::<Decimal32Type, _>(column, |v| Some(v.into())), scale),
        DataType::Decimal64(_, scale) => (primitive::<Decimal64Type, _>(column, |v| Some(v.into())), scale),
        DataType::Decimal128(_, scale) => (primitive::<Decimal128Type, _>(column, Some), scale),
        DataType::Decimal256(_, scale) => (primitive::<Decimal256Type, _>(column, |v| v.to_i128()), scale),
        _ => return None,
    })
}

/// The cells of float types.
fn plain_floats(column: &ArrayRef) -> Option<Vec<Option<f64>>> {
    Some(match column.data_type() {
        DataType::Float16 => primitive::<Float16Type, _>(column, |v| v.to_f64()),
        DataType::Float32 => primitive::<Float32Type, _>(column, f64::from),
        DataType::Float64 => primitive::<Float64Type, _>(column, |v| v),
        _ => return None,
    })
}

/// The cells as whole numbers: integers, and decimals and floats whose values are whole.
fn wholes(column: &ArrayRef) -> Result<Vec<Option<i128>>, Unfit> {
    let each = |row: usize, value: Option<i128>, found: String| {
        value.ok_or_else(|| {
            Unfit::Cell(row, format!("{found} is no whole number, expected a text or a whole number"))
        })
    };
    if let Some(cells) = integers(column) {
        Ok(cells)
    } else if let Some((cells, scale)) = decimals(column) {
        let of = |(row, cell): (usize, Option<Option<i128>>)| {
            cell.map(|digits| each(row, digits.and_then(|d| whole_decimal(d, scale)), "the decimal".into()))
                .transpose()
        };
        cells.into_iter().enumerate().map(of).collect()
    } else if let Some(cells) = plain_floats(column) {
        // NaN is how tables of floats write an empty cell.
        let of = |(row, cell): (usize, Option<f64>)| {
            cell.filter(|v| !v.is_nan()).map(|v| each(row, whole_float(v), format!("{v}"))).transpose()
        };
        cells.into_iter().enumerate().map(of).collect()
    } else {
        Err(Unfit::Type)
    }
}

fn whole_decimal(digits: i128, scale: i8) -> Option<i128> {
    let power = 10i128.checked_pow(scale.unsigned_abs().into())?;
    if scale < 0 { digits.checked_mul(power) } else { (digits % power == 0).then_some(digits / power) }
}

/// Beyond 2^53 a float may have been another number before.
fn whole_float(value: f64) -> Option<i128> {
    (value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0).then_some(value as i128)
}

/// The cells as numbers; `None` if the column holds anything else.
pub(crate) fn floats(column: &ArrayRef) -> Option<Vec<Option<f64>>> {
    if let Some(cells) = plain_floats(column) {
        return Some(cells);
    }
    if let Some((cells, scale)) = decimals(column) {
        let of = |digits: Option<i128>| digits.map_or(f64::INFINITY, |d| d as f64 / 10f64.powi(scale.into()));
        return Some(cells.into_iter().map(|cell| cell.map(of)).collect());
    }
    Some(integers(column)?.into_iter().map(|cell| cell.map(|v| v as f64)).collect())
}

/// The cells as ratings: `None` for empty ones and NaN.
///
/// # Errors
/// If the column holds no numbers, or an infinite one.
pub(crate) fn ratings(column: &ArrayRef) -> Result<Vec<Option<f64>>, Unfit> {
    match column.data_type() {
        DataType::Dictionary(..) => keyed(column, ratings),
        _ => match floats(column) {
            Some(cells) => {
                let of = |(row, cell): (usize, Option<f64>)| match cell.filter(|v| !v.is_nan()) {
                    Some(value) if value.is_infinite() => {
                        Err(Unfit::Cell(row, format!("rating {value}, expected a finite number; correct it")))
                    }
                    cell => Ok(cell),
                };
                cells.into_iter().enumerate().map(of).collect()
            }
            None => texts_alone(column)?.each(column.len(), records::rating),
        },
    }
}

/// The cells as JSON values, `null` for empty ones and for numbers that are not finite.
///
/// # Errors
/// If the column holds anything else than texts, numbers, truth values or lists of them.
pub(crate) fn values(column: &ArrayRef) -> Result<Vec<Value>, Unfit> {
    let number =
        |cell: Option<f64>| cell.and_then(serde_json::Number::from_f64).map_or(Value::Null, Value::Number);
    match column.data_type() {
        DataType::Dictionary(..) => {
            let cells = keyed(column, |inner| Ok(values(inner)?.into_iter().map(Some).collect()))?;
            return Ok(cells.into_iter().map(Option::unwrap_or_default).collect());
        }
        DataType::Boolean => {
            return Ok(column
                .as_boolean()
                .iter()
                .map(|cell| cell.map_or(Value::Null, Value::from))
                .collect());
        }
        DataType::List(_) => {
            let list =
                |cell: Option<ArrayRef>| cell.map_or(Ok(Value::Null), |cell| values(&cell).map(Value::from));
            return column.as_list::<i32>().iter().map(list).collect();
        }
        DataType::LargeList(_) => {
            let list =
                |cell: Option<ArrayRef>| cell.map_or(Ok(Value::Null), |cell| values(&cell).map(Value::from));
            return column.as_list::<i64>().iter().map(list).collect();
        }
        // The shortest decimals of a float32 are fewer than those of the same number as a float64.
        DataType::Float32 => {
            let short = |value: f32| value.to_string().parse().ok();
            let cells = primitive::<Float32Type, _>(column, short).into_iter();
            return Ok(cells.map(|cell| number(cell.flatten())).collect());
        }
        _ => {}
    }
    if let Some(cells) = integers(column) {
        let whole = |cell: Option<i128>| match cell.map(|v| (i64::try_from(v), v)) {
            None => Value::Null,
            Some((Ok(value), _)) => Value::from(value),
            Some((Err(_), large)) => Value::from(large.to_string()),
        };
        return Ok(cells.into_iter().map(whole).collect());
    }
    if let Some(cells) = floats(column) {
        return Ok(cells.into_iter().map(number).collect());
    }
    let texts = texts_alone(column)?;
    Ok((0..column.len()).map(|row| texts.with(row, |cell| cell.map_or(Value::Null, Value::from))).collect())
}

/// The texts of a column of texts.
fn texts_alone(column: &ArrayRef) -> Result<Texts<'_>, Unfit> {
    match Texts::of(column)? {
        Texts::Whole(_) => Err(Unfit::Type),
        texts => Ok(texts),
    }
}

/// The cells as moments: `None` for empty ones and NaN.
///
/// # Errors
/// If the column holds nothing that says when, or a cell that does not.
pub(crate) fn moments(column: &ArrayRef) -> Result<Vec<Option<Moment>>, Unfit> {
    let zoned = |zone: &Option<_>| if zone.is_some() { MomentKind::Zoned } else { MomentKind::Date };
    Ok(match column.data_type() {
        DataType::Timestamp(unit, zone) => timestamps(column, *unit, zoned(zone)),
        DataType::Date32 => primitive::<Date32Type, _>(column, |days| {
            Moment::scaled(MomentKind::Date, i128::from(days) * i128::from(SECONDS_IN_DAY), 0)
        }),
        DataType::Date64 => {
            primitive::<Date64Type, _>(column, |ms| Moment::scaled(MomentKind::Date, ms.into(), 3))
        }
        DataType::Dictionary(..) => keyed(column, moments)?,
        _ => return numbers_as_moments(column),
    })
}

fn timestamps(column: &ArrayRef, unit: TimeUnit, kind: MomentKind) -> Vec<Option<Moment>> {
    let of = |decimals| move |value: i64| Moment::scaled(kind, value.into(), decimals);
    match unit {
        TimeUnit::Second => primitive::<TimestampSecondType, _>(column, of(0)),
        TimeUnit::Millisecond => primitive::<TimestampMillisecondType, _>(column, of(3)),
        TimeUnit::Microsecond => primitive::<TimestampMicrosecondType, _>(column, of(6)),
        TimeUnit::Nanosecond => primitive::<TimestampNanosecondType, _>(column, of(9)),
    }
}

fn numbers_as_moments(column: &ArrayRef) -> Result<Vec<Option<Moment>>, Unfit> {
    let number = |row: usize, digits: Option<i128>, decimals: u32| {
        let large =
            || Unfit::Cell(row, "the timestamp has too many digits, expected at most 38; round it".into());
        digits.map(|digits| Moment::scaled(MomentKind::Number, digits, decimals)).ok_or_else(large)
    };
    if let Some(cells) = integers(column) {
        let of = |(row, cell): (usize, Option<i128>)| cell.map(|v| number(row, Some(v), 0)).transpose();
        cells.into_iter().enumerate().map(of).collect()
    } else if let Some((cells, scale)) = decimals(column) {
        let (power, decimals) = (10i128.pow(scale.min(0).unsigned_abs().into()), scale.max(0).unsigned_abs());
        let of = |(row, cell): (usize, Option<Option<i128>>)| {
            cell.map(|d| number(row, d.and_then(|d| d.checked_mul(power)), decimals.into())).transpose()
        };
        cells.into_iter().enumerate().map(of).collect()
    } else if *column.data_type() == DataType::Float32 {
        // The shortest decimals of a float32 are fewer than those of the same number as a float64.
        let texts = primitive::<Float32Type, _>(column, |v| v.to_string());
        let of = |(row, text): (usize, Option<String>)| {
            text.map_or(Ok(None), |text| Moment::cell(&text)).map_err(|problem| Unfit::Cell(row, problem))
        };
        texts.into_iter().enumerate().map(of).collect()
    } else if let Some(cells) = plain_floats(column) {
        let of = |(row, cell): (usize, Option<f64>)| {
            cell.map_or(Ok(None), Moment::float).map_err(|problem| Unfit::Cell(row, problem))
        };
        cells.into_iter().enumerate().map(of).collect()
    } else {
        texts_alone(column)?.each(column.len(), Moment::cell)
    }
}

/// The rows of a column of lists of numbers: where each ends, and all values; `None` for other columns. A row
/// that is empty or null ends where it begins.
pub(crate) fn lists(column: &ArrayRef) -> Option<(Vec<usize>, Vec<f32>)> {
    let (mut ends, mut values) = (Vec::with_capacity(column.len()), Vec::new());
    let item = |row: usize| -> Option<ArrayRef> {
        match column.data_type() {
            DataType::List(_) => Some(column.as_list::<i32>().value(row)),
            DataType::LargeList(_) => Some(column.as_list::<i64>().value(row)),
            DataType::ListView(_) => Some(column.as_list_view::<i32>().value(row)),
            DataType::LargeListView(_) => Some(column.as_list_view::<i64>().value(row)),
            DataType::FixedSizeList(..) => Some(column.as_fixed_size_list().value(row)),
            _ => None,
        }
    };
    for row in 0..column.len() {
        let cells = item(row)?;
        if column.is_valid(row) {
            // An empty cell within a row is no number, and is found as one.
            values.extend(floats(&cells)?.into_iter().map(|v| v.map_or(f32::NAN, |v| v as f32)));
        }
        ends.push(values.len());
    }
    Some((ends, values))
}
