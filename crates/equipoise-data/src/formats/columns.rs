//! Which columns of a table hold what.

use serde::{Deserialize, Serialize};

use crate::quoted::{quoted, quoted_names};
use crate::text::{Quotes, Separator, TextEncoding, TextOptions};

/// Names of the columns of a table of interactions; those not given are guessed.
///
/// | name | guessed from |
/// |---|---|
/// | `user` | `user_id`, `user`, `userID`, `uid`, `reviewerID`, `customer_id` |
/// | `item` | `item_id`, `item`, `itemID`, `iid`, `parent_asin`, `asin`, `product_id`, `movie_id`, `track_id`, `video_id` |
/// | `rating` | `rating`, `overall`, `score`, `stars` |
/// | `timestamp` | `timestamp`, `time`, `unixReviewTime`, `ts`, `datetime`, `date`, `created_at`, `event_time` |
/// | `split` | `split`, `x_label`, `fold`, `subset` |
///
/// The empty name leaves a column aside that would be guessed. Capitals, blanks, hyphens and underscores make no difference to the guess. In a text file without a header
/// (`header = false`) a column is its number from 1, and the guess is user, item, rating, timestamp as far as
/// there are columns. Whatever is guessed is said in the notes.
///
/// `separator`, `encoding` and `quotes` say how a text file is divided into columns; [`TextOptions`] has their defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Columns {
    /// Raw user ids.
    pub user: Option<String>,
    /// Raw item ids.
    pub item: Option<String>,
    /// Ratings, for `min_rating`.
    pub rating: Option<String>,
    /// Numbers that grow with time, with or without fractions, or dates.
    pub timestamp: Option<String>,
    /// `train`, `validation` (`val`, `valid`, `dev`), `test`, or 0, 1, 2.
    pub split: Option<String>,
    /// Whether the first line of a text file names the columns.
    pub header: bool,
    /// What stands between the cells of a text file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separator: Option<Separator>,
    /// Encoding of a text file without a byte order mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<TextEncoding>,
    /// What quotation marks mean in a text file.
    #[serde(skip_serializing_if = "is_standard")]
    pub quotes: Quotes,
}

impl Default for Columns {
    fn default() -> Self {
        Columns {
            user: None,
            item: None,
            rating: None,
            timestamp: None,
            split: None,
            header: true,
            separator: None,
            encoding: None,
            quotes: Quotes::Standard,
        }
    }
}

fn is_standard(quotes: &Quotes) -> bool {
    *quotes == Quotes::Standard
}

/// Names of columns, as public data sets and shops have them, without `_`, `-`, blanks and capitals; earlier ones go first.
const USER: &[&str] = &[
    "userid",
    "user",
    "uid",
    "reviewerid",
    "customerid",
    "visitorid",
    "memberid",
    "clientid",
    "accountid",
    "personid",
];
const ITEM: &[&str] = &[
    "itemid",
    "item",
    "iid",
    "parentasin",
    "asin",
    "productid",
    "articleid",
    "movieid",
    "trackid",
    "videoid",
    "songid",
    "bookid",
    "isbn",
    "newsid",
    "gameid",
    "appid",
    "businessid",
    "recipeid",
    "artistid",
    "animeid",
    "courseid",
    "contentid",
    "listingid",
    "gmapid",
    "sku",
    "stockcode",
];
const RATING: &[&str] = &["rating", "overall", "score", "stars", "bookrating"];
const TIMESTAMP: &[&str] = &[
    "timestamp",
    "time",
    "unixreviewtime",
    "ts",
    "datetime",
    "date",
    "createdat",
    "eventtime",
    "eventdate",
    "tdat",
    "orderdate",
    "purchasedate",
    "dateadded",
    "addedat",
    "clickedat",
    "viewedat",
    "playedat",
    "reviewdate",
    "transactiondate",
    "invoicedate",
    "unixtime",
    "timestampms",
];
const SPLIT: &[&str] = &["split", "xlabel", "fold", "subset"];

/// Where the columns stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) user: usize,
    pub(crate) item: usize,
    pub(crate) rating: Option<usize>,
    pub(crate) timestamp: Option<usize>,
    pub(crate) split: Option<usize>,
}

impl Columns {
    /// Finds the columns among `names`.
    ///
    /// # Errors
    /// Which column is missing, what there is and what to do.
    pub(crate) fn find(&self, names: &[String]) -> Result<Places, String> {
        self.find_or(names, "")
    }

    /// [`find`](Self::find), with what else may be done where there are no users or items.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn find_or(&self, names: &[String], else_do: &str) -> Result<Places, String> {
        let find = |what: &str, asked: &Option<String>, guesses: &[&str]| match asked {
            Some(name) if name.is_empty() => Ok(None),
            Some(name) => match only(names, what, |n| n == name)? {
                Some(place) => Ok(Some(place)),
                None => Err(format!(
                    "no column {} for the {what}, found {}; correct it",
                    quoted(name),
                    list(names)
                )),
            },
            None => first_guess(names, what, guesses),
        };
        let need = |what: &str, place: Option<usize>| {
            place.ok_or_else(|| {
                format!("no column of {what}s among {}; name it with --{what}-column{else_do}", list(names))
            })
        };
        Ok(Places {
            user: need("user", find("users", &self.user, USER)?)?,
            item: need("item", find("items", &self.item, ITEM)?)?,
            rating: find("ratings", &self.rating, RATING)?,
            timestamp: find("timestamps", &self.timestamp, TIMESTAMP)?,
            split: find("split", &self.split, SPLIT)?,
        })
    }

    /// How a text file is divided into columns.
    pub(crate) fn text(&self) -> TextOptions {
        let separator = self.separator.clone();
        TextOptions { encoding: self.encoding, separator, quotes: self.quotes, names: Vec::new() }
    }

    /// Which columns were taken without being told, and which are not read, in words.
    pub(crate) fn said(&self, names: &[String], places: &Places) -> Vec<String> {
        let read = places.read();
        let label = label(names, &read, |name| format!("--rating-column {name} with --min-rating 1"));
        self.guessed(names, places).into_iter().chain(not_read(names, &read)).chain(label).collect()
    }

    fn guessed(&self, names: &[String], places: &Places) -> Option<String> {
        let column = |place: usize| match (self.header, names.get(place)) {
            (true, Some(name)) => quoted(name),
            _ => format!("column {}", place + 1),
        };
        let roles = [
            ("users", &self.user, Some(places.user)),
            ("items", &self.item, Some(places.item)),
            ("ratings", &self.rating, places.rating),
            ("timestamps", &self.timestamp, places.timestamp),
            ("splits", &self.split, places.split),
        ];
        let guessed = roles.into_iter().filter(|(_, asked, _)| asked.is_none());
        let taken = guessed.filter_map(|(what, _, place)| Some(format!("{what} from {}", column(place?))));
        let taken: Vec<String> = taken.collect();
        let how = if self.header { "by their names" } else { "by their places" };
        (!taken.is_empty()).then(|| format!("{} (guessed {how})", taken.join(", ")))
    }

    /// Names for a file of `count` columns that names none: their numbers, with what is usual where nothing is
    /// asked for.
    pub(crate) fn numbered(&self, count: usize) -> (Columns, Vec<String>) {
        let usual = |asked: &Option<String>, place: usize| {
            asked.clone().or_else(|| (place <= count).then(|| place.to_string()))
        };
        let columns = Columns {
            user: usual(&self.user, 1),
            item: usual(&self.item, 2),
            rating: usual(&self.rating, 3),
            timestamp: usual(&self.timestamp, 4),
            split: self.split.clone(),
            header: false,
            ..self.clone()
        };
        (columns, (1..=count).map(|n| n.to_string()).collect())
    }
}

impl Places {
    /// The columns that are read.
    pub(crate) fn read(&self) -> Vec<usize> {
        let optional = [self.rating, self.timestamp, self.split];
        [self.user, self.item].into_iter().chain(optional.into_iter().flatten()).collect()
    }
}

/// Names of columns that tell a positive, 1, from a negative, 0.
const LABEL: [&str; 9] =
    ["label", "click", "clicked", "isclick", "like", "liked", "islike", "purchased", "ispositive"];

/// What is left open by a column that is not among those `read` and may tell positives from negatives, in words; `way` says how the
/// negatives are left out, given the name of the column.
pub(crate) fn label(names: &[String], read: &[usize], way: impl Fn(&str) -> String) -> Option<String> {
    let mut left = names.iter().enumerate().filter(|(place, _)| !read.contains(place)).map(|(_, name)| name);
    let name = quoted(left.find(|name| LABEL.contains(&plain(name).as_str()))?);
    let way = way(&name);
    Some(format!("rows count as interactions whatever {name} says ({way} takes those that have 1 there)"))
}

/// Which of the columns are not among those that are `read`, in words; `None` if each is.
pub(crate) fn not_read(names: &[String], read: &[usize]) -> Option<String> {
    let left = names.iter().enumerate().filter(|(place, _)| !read.contains(place));
    let left: Vec<&str> = left.map(|(_, name)| name.as_str()).collect();
    (!left.is_empty()).then(|| format!("not read: {}", quoted_names(left)))
}

/// The column of the first of these guesses that is there, if any is.
fn first_guess(names: &[String], what: &str, guesses: &[&str]) -> Result<Option<usize>, String> {
    let plain_names: Vec<String> = names.iter().map(|name| plain(name)).collect();
    let guess = guesses.iter().find(|guess| plain_names.iter().any(|name| name == **guess));
    guess.map_or(Ok(None), |guess| only(names, what, |name| plain(name) == *guess))
}

/// The one name that fits, if there is any.
fn only(names: &[String], what: &str, fits: impl Fn(&str) -> bool) -> Result<Option<usize>, String> {
    let mut fitting = names.iter().enumerate().filter(|(_, name)| fits(name));
    match (fitting.next(), fitting.next()) {
        (Some((_, one)), Some((_, two))) => Err(format!(
            "columns {} and {} could both be that of the {what}; rename one of them",
            quoted(one),
            quoted(two)
        )),
        (first, _) => Ok(first.map(|(place, _)| place)),
    }
}

/// Where the item ids of a table about items stand.
///
/// # Errors
/// What there is instead.
pub(crate) fn item_place(names: &[String]) -> Result<usize, String> {
    let place = first_guess(names, "item ids", ITEM)?;
    place.ok_or_else(|| {
        format!(
            "no column of item ids among {}; call it item_id (the first row names the columns; where it is data, put a row of names before it, or give them to `run` as --item-names, to `features` as --names)",
            list(names)
        )
    })
}

/// Where the ids of a table of items stand: in the column `id`, or in one whose name says so.
///
/// # Errors
/// What there is instead.
pub fn item_column(names: &[String]) -> Result<usize, String> {
    names.iter().position(|name| name == "id").map_or_else(|| item_place(names), Ok)
}

/// Whether a column by its name says which split a row belongs to.
pub fn has_split_column(names: &[String]) -> bool {
    names.iter().any(|name| SPLIT.contains(&plain(name).as_str()))
}

/// Where the values of a table of features stand: in the column called `own`, or in all but that of the ids.
///
/// # Errors
/// If there is none, or a column of row numbers among them.
pub(crate) fn value_places(names: &[String], id: usize, own: &str) -> Result<Vec<usize>, String> {
    if let Some(place) = names.iter().position(|name| name == own).filter(|place| *place != id) {
        return Ok(vec![place]);
    }
    let places: Vec<usize> = (0..names.len()).filter(|place| *place != id).collect();
    if places.is_empty() {
        return Err(format!("no column of values beside {}; give the features", list(names)));
    }
    match places.iter().find(|place| ROW_NUMBERS.contains(&&*names[**place])) {
        Some(&place) => Err(format!(
            "column {}, {}, seems to be the row number of pandas; write the table with index=False",
            place + 1,
            quoted(&names[place])
        )),
        None => Ok(places),
    }
}

/// What pandas calls the numbers of rows.
const ROW_NUMBERS: [&str; 3] = ["", "Unnamed: 0", "__index_level_0__"];

/// What RecBole puts behind the name of a column.
const TYPES: [&str; 4] = ["token", "token_seq", "float", "float_seq"];

/// The name of a column without the type that RecBole's files have behind it: `title` for `title:token_seq`.
pub(crate) fn untyped(name: &str) -> &str {
    name.rsplit_once(':').filter(|(_, kind)| TYPES.contains(kind)).map_or(name, |(name, _)| name)
}

fn plain(name: &str) -> String {
    let kept = untyped(name).chars().filter(|c| !matches!(c, '_' | '-' | ' '));
    kept.collect::<String>().to_lowercase()
}

/// Names for a message.
pub(crate) fn list(names: &[String]) -> String {
    quoted_names(names.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn names_in_use_are_guessed_and_names_given_win() {
        let header = names(&["reviewerID", "asin", "overall", "unixReviewTime", "my id"]);
        let found = Columns::default().find(&header).expect("all there");
        let expected = Places { user: 0, item: 1, rating: Some(2), timestamp: Some(3), split: None };
        assert_eq!(found, expected);
        let columns = Columns { item: Some("my id".into()), ..Columns::default() };
        assert_eq!(columns.find(&header).expect("all there").item, 4);
        let columns = Columns { rating: Some("stars".into()), ..Columns::default() };
        let problem = columns.find(&header).expect_err("no stars");
        assert!(problem.contains("\"stars\"") && problem.contains("\"overall\""), "{problem}");
        let problem = Columns::default().find(&names(&["a", "item"])).expect_err("no user");
        assert!(problem.contains("--user-column"), "{problem}");
    }

    #[test]
    fn without_a_header_columns_are_numbers() {
        let (columns, header) = Columns::default().numbered(3);
        let found = columns.find(&header).expect("all there");
        assert_eq!((found.user, found.item, found.rating, found.timestamp), (0, 1, Some(2), None));
        let given = Columns { user: Some("3".into()), ..Columns::default() };
        let (columns, header) = given.numbered(3);
        assert_eq!(columns.find(&header).expect("all there").user, 2);
    }

    #[test]
    fn what_is_guessed_is_said_and_two_columns_for_one_thing_are_refused() {
        let header = names(&["user_id", "asin", "parent_asin", "rating"]);
        let columns = Columns { rating: Some("rating".into()), ..Columns::default() };
        let places = columns.find(&header).expect("all there");
        let said = columns.said(&header, &places);
        let guessed = "users from \"user_id\", items from \"parent_asin\" (guessed by their names)";
        assert_eq!(said, [guessed, "not read: \"asin\""]);
        let (numbered, header) = Columns::default().numbered(2);
        let places = numbered.find(&header).expect("all there");
        assert_eq!(
            Columns { header: false, ..Columns::default() }.said(&header, &places),
            ["users from column 1, items from column 2 (guessed by their places)"]
        );
        let header = names(&["user", "item", "Is_Click"]);
        let places = Columns::default().find(&header).expect("all there");
        let said = Columns::default().said(&header, &places);
        assert!(
            said[2].contains("whatever \"Is_Click\" says (--rating-column \"Is_Click\" with --min-rating 1"),
            "{said:?}"
        );
        let columns = Columns { rating: Some("Is_Click".into()), ..Columns::default() };
        assert_eq!(columns.said(&header, &columns.find(&header).expect("all there")).len(), 1);
        for twice in [&["user", "item", "User"][..], &["user", "item", "item"]] {
            let problem = Columns::default().find(&names(twice)).expect_err("two of a kind");
            assert!(problem.contains("could both"), "{problem}");
        }
    }
}
