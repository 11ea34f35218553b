//! Names of tables in memory for the files that they are written to: nobody has seen these files.

use crate::Error;
use equipoise_data::formats::ways_to_place_rows;
use std::path::Path;

/// Which table each file holds. Notes and faults name the file; whoever gave the tables is told of the table.
pub(crate) struct TableNames {
    /// What stands in a message, and what is said instead, longer paths before those that they begin with.
    names: Vec<(String, String)>,
}

impl TableNames {
    /// Tables that are written to a directory.
    pub(crate) fn new(dir: &Path) -> TableNames {
        let dir = dir.display();
        let names = [(format!("{dir}/"), String::new()), (dir.to_string(), "tables".into())];
        TableNames { names: names.into_iter().chain(remedies()).collect() }
    }

    /// The table that a file holds.
    pub(crate) fn file(&mut self, file: &Path, name: &str) {
        // What to do about rows that nobody is named for stands in a message by the name of the file as well.
        self.names.insert(0, (file.display().to_string(), name.to_owned()));
        self.names.insert(0, (ways_to_place_rows(file), ROWS.to_owned()));
    }

    /// A message in terms of the tables.
    pub(crate) fn said(&self, message: &str) -> String {
        self.names.iter().fold(message.to_owned(), |text, (file, name)| text.replace(file, name))
    }

    /// A fault in terms of the tables.
    pub(crate) fn fault(&self, error: impl Into<Error>) -> Error {
        let source = error.into();
        Error::Tables { said: self.said(&source.to_string()), source: Box::new(source) }
    }
}

/// What to do about rows without ids.
const ROWS: &str = "give the id of each row, or the catalogue in the order of the rows";

/// Remedies that files have and tables do not.
fn remedies() -> impl Iterator<Item = (String, String)> {
    let none = ["; correct the file or write it again", " (such as image_feat.npy)", "<modality>_feat.npy "];
    none.into_iter().map(|remedy| (remedy.to_owned(), String::new()))
}
