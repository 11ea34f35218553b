//! Who reviewed what and when, from one line of a reviews file.
//!
//! | release | layout | user, item, time |
//! |---|---|---|
//! | 2014 | JSON (or Python literal) lines | `reviewerID`, `asin`, `unixReviewTime` (seconds) |
//! | 2018 | the same, with `verified` | the same |
//! | 2023 | JSON lines | `user_id`, `parent_asin`, `timestamp` (milliseconds) |
//! | 2014 | `ratings_X.csv`, no header | columns 1, 2, 4 |
//! | 2018 | CSV, no header | columns 2, 1, 4 |
//! | 2023 | CSV with a header line | `user_id`, `parent_asin` (or `asin`), `timestamp` |
//!
//! McAuley et al. (2015), *Image-Based Recommendations on Styles and Substitutes*; Ni et al. (2019), *Justifying
//! Recommendations using Distantly-Labeled Reviews and Fine-Grained Aspects*; Hou et al. (2024), *Bridging Language and
//! Items for Retrieval and Recommendation*.

use equipoise_data::{LineFault, quoted, short};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ids::checked;
use super::object::members;

/// A release of the Amazon reviews.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Release {
    /// McAuley et al., 2015: `reviewerID`, `asin`.
    #[serde(rename = "2014")]
    Amazon2014,
    /// Ni et al., 2019: as in 2014, with `verified` reviews and a `category` of items.
    #[serde(rename = "2018")]
    Amazon2018,
    /// Hou et al., 2024: `user_id`, `parent_asin`.
    #[serde(rename = "2023")]
    Amazon2023,
}

impl Release {
    /// The year, as one calls it.
    pub fn year(self) -> u32 {
        match self {
            Release::Amazon2014 => 2014,
            Release::Amazon2018 => 2018,
            Release::Amazon2023 => 2023,
        }
    }

    /// Whether reviews of both have the same keys.
    pub(crate) fn is_alike(self, other: Release) -> bool {
        (self == Release::Amazon2023) == (other == Release::Amazon2023)
    }
}

/// One review: what of it is kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Review {
    pub(crate) user: String,
    pub(crate) item: String,
    /// In the unit of the release.
    pub(crate) time: Option<i64>,
    pub(crate) release: Release,
    pub(crate) replaced: u64,
    /// Values `NaN` or infinite on the line.
    pub(crate) not_numbers: u64,
}

const NAMES: [&str; 7] =
    ["reviewerID", "asin", "unixReviewTime", "user_id", "parent_asin", "timestamp", "verified"];

/// Reads an object.
pub(crate) fn object(line: &[u8]) -> Result<Review, LineFault> {
    let found = members(line, &NAMES)?;
    let [old_user, old_item, old_time, new_user, new_item, new_time, verified] = found.values;
    let old = if verified.is_some() { Release::Amazon2018 } else { Release::Amazon2014 };
    let (release, user, item, time) = match (&old_user, &new_user) {
        (None, Some(_)) => (Release::Amazon2023, new_user, new_item, new_time),
        (Some(_), None) => (old, old_user, old_item, old_time),
        (None, None) => {
            return Err(LineFault::whole(
                "no reviewer, expected reviewerID (releases of 2014 and 2018) or user_id (2023); give a file of reviews",
            ));
        }
        (Some(_), Some(_)) => {
            return Err(LineFault::whole(
                "both reviewerID and user_id, expected one of them; correct the line",
            ));
        }
    };
    let [user_name, item_name, time_name] = names(release);
    Ok(Review {
        user: text(user_name, user)?,
        item: text(item_name, item)?,
        time: time.map(|time| seconds(time_name, &time)).transpose()?,
        release,
        replaced: found.replaced,
        not_numbers: found.not_numbers,
    })
}

/// The keys of user, item and time.
pub(crate) fn names(release: Release) -> [&'static str; 3] {
    match release {
        Release::Amazon2014 | Release::Amazon2018 => [NAMES[0], NAMES[1], NAMES[2]],
        Release::Amazon2023 => [NAMES[3], NAMES[4], NAMES[5]],
    }
}

fn text(field: &str, value: Option<Value>) -> Result<String, LineFault> {
    match value {
        Some(Value::String(raw)) => checked(field, &raw).map(|()| raw),
        Some(other) => Err(LineFault::whole(format!(
            "{field} is {}, expected text; correct it",
            short(&other.to_string())
        ))),
        None => Err(LineFault::whole(format!("{field} is absent; add it or remove the line"))),
    }
}

fn seconds(field: &str, value: &Value) -> Result<i64, LineFault> {
    // A few exports write whole numbers as 1393545600.0.
    let whole = value.as_i64().or_else(|| value.as_f64().and_then(whole));
    whole.ok_or_else(|| {
        let value = short(&value.to_string());
        LineFault::whole(format!("{field} is {value}, expected a time as a whole number; correct it"))
    })
}

/// A float that is a whole number; one with a fraction would lose it.
fn whole(time: f64) -> Option<i64> {
    (time.abs() < 9e15 && time.fract() == 0.0).then_some(time as i64)
}

/// Characters of an item id in the releases without a header.
const ITEM_ID: usize = 10;

/// The columns of a CSV file that a review is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    release: Release,
    count: usize,
    user: usize,
    item: usize,
    time: usize,
}

impl Columns {
    /// The columns of user, item and time in words.
    pub(crate) fn said(&self) -> String {
        format!("columns {}, {}, {}", self.user + 1, self.item + 1, self.time + 1)
    }
}

/// Understands the first line of a CSV file: the columns, and whether it is a header.
pub(crate) fn columns(line: &[u8]) -> Result<(Columns, bool), LineFault> {
    let cells = cells(line)?;
    let place = |name: &str| cells.iter().position(|cell| *cell == name);
    let item = place("parent_asin").or(place("asin"));
    if let (Some(user), Some(item), Some(time)) = (place("user_id"), item, place("timestamp")) {
        return Ok((Columns { release: Release::Amazon2023, count: cells.len(), user, item, time }, true));
    }
    let numbers = cells.len() == 4 && cells[2..].iter().all(|cell| cell.parse::<f64>().is_ok());
    if !numbers {
        return Err(LineFault::whole(
            "expected JSON objects, or the columns user, item, rating, time (release of 2014, no header), item, user, \
             rating, time (2018, no header) or a header with user_id, parent_asin and timestamp (2023); give a file of \
             reviews, or read a table of other columns with equipoise data convert",
        ));
    }
    // An item id has ten characters, which few user ids have.
    let swapped = cells[0].len() == ITEM_ID && cells[1].len() != ITEM_ID;
    let (release, user, item) =
        if swapped { (Release::Amazon2018, 1, 0) } else { (Release::Amazon2014, 0, 1) };
    Ok((Columns { release, count: 4, user, item, time: 3 }, false))
}

/// Reads a line of a CSV file.
pub(crate) fn row(line: &[u8], columns: Columns) -> Result<Review, LineFault> {
    let cells = cells(line)?;
    if cells.len() != columns.count {
        let problem = format!("{} columns, expected {}; repair the line", cells.len(), columns.count);
        return Err(LineFault::whole(problem));
    }
    let id = |field: &str, place: usize| checked(field, cells[place]).map(|()| cells[place].to_owned());
    let time = cells[columns.time];
    let number = time.parse::<f64>().ok().and_then(whole);
    let wrong =
        || LineFault::whole(format!("the time is {}, expected a whole number; correct it", quoted(time)));
    let item = cells[columns.item];
    if columns.release == Release::Amazon2018 && item.len() != ITEM_ID {
        return Err(LineFault::whole(format!(
            "the item id is {}, expected {ITEM_ID} characters as in the first line (item, user, rating, time: release of \
             2018); correct the line or reorder the columns",
            quoted(item)
        )));
    }
    Ok(Review {
        user: id("the user", columns.user)?,
        item: id("the item", columns.item)?,
        time: Some(number.ok_or_else(wrong)?),
        release: columns.release,
        replaced: 0,
        not_numbers: 0,
    })
}

/// Ids hold neither commas nor quotes, which may stand around a cell.
fn cells(line: &[u8]) -> Result<Vec<&str>, LineFault> {
    let text = std::str::from_utf8(line).map_err(|error| LineFault {
        byte: Some(error.valid_up_to() + 1),
        problem: "not UTF-8; repair the line or download the file again".into(),
    })?;
    Ok(text.split(',').map(|cell| cell.trim().trim_matches('"')).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(user: &str, item: &str, time: Option<i64>, release: Release) -> Review {
        Review { user: user.into(), item: item.into(), time, release, replaced: 0, not_numbers: 0 }
    }

    #[test]
    fn both_releases_are_understood() {
        let old = br#"{"reviewerID": "A1", "asin": "B0", "overall": 5.0, "unixReviewTime": 1363392000}"#;
        assert_eq!(object(old), Ok(review("A1", "B0", Some(1_363_392_000), Release::Amazon2014)));
        let python =
            br#"{'reviewerID': 'A1', 'asin': 'B0', 'helpful': [0, 0], 'unixReviewTime': 1363392000}"#;
        assert_eq!(object(python), Ok(review("A1", "B0", Some(1_363_392_000), Release::Amazon2014)));
        let new = br#"{"rating": 5.0, "title": "x", "text": "{\"y\"", "asin": "B1", "parent_asin": "B2",
            "user_id": "U", "timestamp": 1588687728923, "verified_purchase": true}"#;
        assert_eq!(object(new), Ok(review("U", "B2", Some(1_588_687_728_923), Release::Amazon2023)));
        let later = br#"{"overall": 5.0, "verified": true, "vote": NaN, "reviewerID": "A1", "asin": "B0", "unixReviewTime": NaN}"#;
        let expected = Review { not_numbers: 2, ..review("A1", "B0", None, Release::Amazon2018) };
        assert_eq!(object(later), Ok(expected));
        let undated = br#"{"reviewerID": "A1", "asin": "B0"}"#;
        assert_eq!(object(undated), Ok(review("A1", "B0", None, Release::Amazon2014)));
    }

    #[test]
    fn lines_that_are_no_review_say_what_is_missing() {
        for (line, expected) in [
            (r#"{"asin": "B0"}"#, "reviewerID (releases of 2014 and 2018) or user_id (2023)"),
            (r#"{"reviewerID": "A1"}"#, "asin is absent"),
            (r#"{"user_id": "A1", "asin": "B0"}"#, "parent_asin is absent"),
            (r#"{"reviewerID": "A1", "asin": 7}"#, "asin is 7, expected text"),
            (r#"{"reviewerID": "", "asin": "B0"}"#, "reviewerID is \"\""),
            (r#"{"reviewerID": "a\tb", "asin": "B0"}"#, "control characters"),
            (r#"{"reviewerID": "A1", "asin": "B0", "unixReviewTime": "x"}"#, "unixReviewTime is \"x\""),
            (r#"{"reviewerID": "A1", "user_id": "A1", "asin": "B0"}"#, "both"),
        ] {
            let fault = object(line.as_bytes()).expect_err(line);
            assert!(fault.problem.contains(expected), "{line}: {}", fault.problem);
        }
    }

    #[test]
    fn ratings_are_read_from_csv_of_either_release() {
        let old = b"A2IBPI20UZIR0U,1384719342,5.0,1393545600";
        let (at, header) = columns(old).expect("columns of 2014");
        assert!(!header);
        let expected = review("A2IBPI20UZIR0U", "1384719342", Some(1_393_545_600), Release::Amazon2014);
        assert_eq!(row(old, at), Ok(expected));
        let (at, header) = columns(b"user_id,parent_asin,rating,timestamp").expect("columns of 2023");
        assert!(header);
        assert_eq!(row(b"U,B2,1.0,1588", at), Ok(review("U", "B2", Some(1588), Release::Amazon2023)));
        let swapped = b"\"1384719342\",\"A2IBPI20UZIR0U\",5.0,1393545600";
        let (later, header) = columns(swapped).expect("columns of 2018");
        assert!(!header);
        let expected = review("A2IBPI20UZIR0U", "1384719342", Some(1_393_545_600), Release::Amazon2018);
        assert_eq!(row(swapped, later), Ok(expected));
        let fault = row(b"A2IBPI20UZIR0U,1384719342,5.0,1393545600", later).expect_err("the other order");
        assert!(fault.problem.contains("10 characters"), "{}", fault.problem);
        assert!(columns(b"a,b,c,d").expect_err("no numbers").problem.contains("JSON"));
        assert!(row(b"U,B2,1.0", at).expect_err("short").problem.contains("3 columns, expected 4"));
        assert!(row(b"U,B2,1.0,soon", at).expect_err("no time").problem.contains("\"soon\""));
    }
}
