//! Tables of interactions as JSON: an object in each line, or one array of them.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};

use super::columns::Places;
use super::day_order::Dates;
use super::json_object::{id, object};
use super::records::{Records, Row, rating, split_of};
use super::table_options::TableOptions;
use crate::error::DataError;
use crate::quoted::quoted;
use crate::text::{Lines, Quotes};

/// Reads a table into `records`; every row of it belongs to `split` if given. Its columns are the members that any object
/// has.
///
/// # Errors
/// [`DataError`] if the file cannot be read, has no object, or not the columns; faulty rows go to `records`.
pub(crate) fn read(
    file: &Path,
    options: &TableOptions,
    split: Option<u8>,
    records: &mut Records,
) -> Result<(), DataError> {
    let columns = &options.columns;
    if !columns.header || columns.separator.is_some() || columns.quotes != Quotes::Standard {
        let problem =
            "JSON has neither separators nor a header line; leave --separator, --quotes and --no-header out";
        return Err(DataError::whole(file, problem.into()));
    }
    let (names, mut said) = members(file, options)?;
    let found = columns.find(&names).and_then(|places| options.check(&places).map(|()| places));
    let places = found.map_err(|problem| DataError::whole(file, problem))?;
    said.splice(0..0, columns.said(&names, &places));
    records.said(file, &said);
    let times = |look: &mut dyn FnMut(&str)| column_of(file, options, &names, &places, look);
    let dates = Dates::new(&times);
    let members = Members { names: &names, places: &places, split, dates: &dates };
    let mut lines = Lines::open_objects(file, columns.encoding)?;
    while lines.advance()? {
        if lines.is_blank() {
            continue;
        }
        let line = lines.utf8().map_err(|fault| lines.fault(fault))?;
        let object = object(line.as_bytes(), &mut 0).map_err(|fault| fault.problem);
        if let Err(problem) = object.and_then(|object| members.push(&object, records, options)) {
            records.wrong(file, lines.place(), problem);
        }
    }
    records.said(file, dates.said().as_slice());
    Ok(())
}

/// Shows the time of every object.
fn column_of(
    file: &Path,
    options: &TableOptions,
    names: &[String],
    places: &Places,
    look: &mut dyn FnMut(&str),
) -> Result<(), DataError> {
    let Some(time) = places.timestamp.map(|place| &names[place]) else { return Ok(()) };
    let mut lines = Lines::open_objects(file, options.columns.encoding)?;
    while lines.advance()? {
        let line = lines.utf8().map_err(|fault| lines.fault(fault))?;
        let found = object(line.as_bytes(), &mut 0).ok();
        if let Some(Value::String(cell)) = found.as_ref().and_then(|found| found.get(time)) {
            look(cell);
        }
    }
    Ok(())
}

/// The members that any object has, and how the file is read, in words. A line that is no object is reported later, with the
/// rows.
fn members(file: &Path, options: &TableOptions) -> Result<(Vec<String>, Vec<String>), DataError> {
    let mut lines = Lines::open_objects(file, options.columns.encoding)?;
    let (mut names, mut not_numbers, mut any) = (BTreeSet::new(), 0, false);
    while lines.advance()? {
        if lines.is_blank() {
            continue;
        }
        let line = lines.utf8().map_err(|fault| lines.fault(fault))?;
        match object(line.as_bytes(), &mut not_numbers) {
            Ok(found) => names.extend(found.into_iter().map(|(name, _)| name)),
            Err(fault) if !any => return Err(lines.fault(fault)),
            Err(_) => {}
        }
        any = true;
    }
    if !any {
        return Err(DataError::whole(
            file,
            "no object: the file is empty, expected one per line; fill it".into(),
        ));
    }
    let array = lines.is_array().then(|| "one JSON array instead of an object per line".to_owned());
    let missing = (not_numbers > 0).then(|| format!("{not_numbers} values NaN or Infinity count as missing"));
    let said = array.into_iter().chain(lines.said_encoding()).chain(missing);
    Ok((names.into_iter().collect(), said.collect()))
}

/// Which members an object is read by.
struct Members<'a> {
    names: &'a [String],
    places: &'a Places,
    /// That of every row, if there is one.
    split: Option<u8>,
    dates: &'a Dates<'a>,
}

impl Members<'_> {
    fn push(
        &self,
        object: &Map<String, Value>,
        records: &mut Records,
        options: &TableOptions,
    ) -> Result<(), String> {
        let (user, item) =
            (self.id(object, self.places.user, "user")?, self.id(object, self.places.item, "item")?);
        let cell = |place: Option<usize>| place.map(|place| self.cell(object, place)).transpose();
        let row = Row {
            user: &user,
            item: &item,
            rating: cell(self.places.rating)?.map(|cell| rating(&cell)).transpose()?.flatten(),
            time: cell(self.places.timestamp)?.map(|cell| self.dates.moment(&cell)).transpose()?.flatten(),
            split: match self.split {
                Some(split) => Some(split),
                None => cell(self.places.split)?.map(|cell| split_of(&cell)).transpose()?,
            },
        };
        records.push(row, options)
    }

    fn id(&self, object: &Map<String, Value>, place: usize, what: &str) -> Result<String, String> {
        let name = quoted(&self.names[place]);
        let value =
            object.get(&self.names[place]).ok_or_else(|| format!("no {name}; give the {what}'s id"))?;
        id(value).map_err(|problem| format!("{name} {problem}; write the {what}'s id as a text"))
    }

    /// A value as it would stand in a table of text; nothing where there is none.
    fn cell(&self, object: &Map<String, Value>, place: usize) -> Result<String, String> {
        match object.get(&self.names[place]) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                Err(format!("{} is no text and no number; write it as one", quoted(&self.names[place])))
            }
        }
    }
}
