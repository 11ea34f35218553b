//! Flags that say how a table is read.

use crate::failure::Failure;
use equipoise_data::{Columns, Quotes, Separator, TextEncoding, TextOptions};
use toml::Value;

/// How a table of text is read.
#[derive(clap::Args)]
pub struct TextFlags {
    /// What stands between the cells: , ; | :: tab, blanks or anything else [default: guessed].
    #[arg(long, value_name = "SEPARATOR", help_heading = "Tables")]
    separator: Option<Separator>,
    /// Encoding of the text, such as windows-1252 or gbk [default: utf-8; utf-16 is recognised].
    #[arg(long, value_name = "NAME", help_heading = "Tables")]
    encoding: Option<TextEncoding>,
    /// What quotation marks mean: standard, or none where they are plain characters [default: standard].
    #[arg(long, value_name = "RULE", value_parser = Quotes::ALL.map(Quotes::name), help_heading = "Tables")]
    quotes: Option<String>,
}

impl TextFlags {
    /// The flags that are given, as keys of a configuration.
    fn section(&self) -> toml::Table {
        let flags = [
            ("separator", self.separator.as_ref().and_then(|value| Value::try_from(value).ok())),
            ("encoding", self.encoding.and_then(|value| Value::try_from(value).ok())),
            ("quotes", self.quotes.clone().map(Value::String)),
        ];
        flags.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }

    /// What they say.
    pub fn options(&self) -> TextOptions {
        Value::Table(self.section()).try_into().expect("each flag has the type of its key")
    }
}

/// How a table of interactions is read.
#[derive(clap::Args)]
pub struct TableFlags {
    /// Column of user ids in a table [default: guessed].
    #[arg(long, value_name = "COLUMN", help_heading = "Tables")]
    user_column: Option<String>,
    /// Column of item ids [default: guessed].
    #[arg(long, value_name = "COLUMN", help_heading = "Tables")]
    item_column: Option<String>,
    /// Column of ratings, for --min-rating [default: guessed].
    #[arg(long, value_name = "COLUMN", help_heading = "Tables")]
    rating_column: Option<String>,
    /// Column of timestamps, numbers or dates; "" for none [default: guessed].
    #[arg(long, value_name = "COLUMN", help_heading = "Tables")]
    timestamp_column: Option<String>,
    /// Column that says train, validation or test [default: guessed].
    #[arg(long, value_name = "COLUMN", help_heading = "Tables")]
    split_column: Option<String>,
    /// The first line is data; columns are their numbers from 1.
    #[arg(long, help_heading = "Tables")]
    no_header: bool,
    #[command(flatten)]
    text: TextFlags,
    /// Leave out rows that are rated below, and those without a rating; of matrices, entries below.
    #[arg(long, value_name = "RATING", allow_negative_numbers = true, help_heading = "Tables")]
    pub min_rating: Option<f64>,
}

impl TableFlags {
    /// The flags about columns that are given, as the section `[columns]` of a configuration.
    pub fn section(&self) -> toml::Table {
        let text = |t: &Option<String>| t.clone().map(Value::String);
        let flags = [
            ("user", text(&self.user_column)),
            ("item", text(&self.item_column)),
            ("rating", text(&self.rating_column)),
            ("timestamp", text(&self.timestamp_column)),
            ("split", text(&self.split_column)),
            ("header", self.no_header.then_some(Value::Boolean(false))),
        ];
        let own = flags.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        own.chain(self.text.section()).collect()
    }

    /// What they say of the columns.
    pub fn columns(&self) -> Columns {
        Value::Table(self.section()).try_into().expect("each flag has the type of its key")
    }

    /// The threshold of ratings.
    ///
    /// # Errors
    /// If it is no number.
    pub fn min_rating(&self) -> Result<Option<f64>, Failure> {
        match self.min_rating.filter(|rating| !rating.is_finite()) {
            Some(rating) => Err(Failure::input(format!("--min-rating = {rating}: expected a finite number"))),
            None => Ok(self.min_rating),
        }
    }
}
