//! Files of text: every reader of text opens its file here.
//!
//! | what a file may have | what becomes of it |
//! |---|---|
//! | gzip, whatever it is called | unpacked on the way; several members are one text, zeros at the end are padding |
//! | a byte order mark | passed over; UTF-16 is decoded, UTF-32 is refused by name |
//! | UTF-16 without a mark | known by its zeros and decoded |
//! | another encoding | named by the reader ([`TextEncoding`]), else refused at the first byte that is no UTF-8 |
//! | LF, CRLF or CR | each ends a line |
//! | a binary format, a page of HTML | refused by name |
//!
//! [`Lines`] gives the lines of a file, or the elements of a JSON array where objects are expected line by line;
//! [`TextRows`] gives the rows of a table; `json` reads a document as a whole, [`read_text`] any
//! text.

mod decoder;
mod encoding;
mod gzip;
pub(crate) mod json;
mod lines;
mod nan;
mod quotes;
mod rows;
mod separator;
mod separator_guess;
mod signature;
mod source;
mod split;
mod whole;

pub use encoding::TextEncoding;
pub use gzip::unpacked;
pub use lines::{LineFault, Lines};
pub use nan::without_nan;
pub use quotes::Quotes;
pub use rows::{TextOptions, TextRows};
pub use separator::Separator;
pub(crate) use source::foreign;
pub use whole::read_text;
pub(crate) use whole::text_of;
