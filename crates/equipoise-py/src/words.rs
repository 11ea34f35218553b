//! Messages of the library in Python's words.

/// What remedies name of the program, and what the package has instead; longer ones before those that they begin with.
const WORDS: [(&str, &str); 15] = [
    (
        "equipoise data convert --split ratio|leave-one-out|time",
        "split=\"ratio\", \"leave_one_out\" or \"time\"",
    ),
    (", or say --no-header if the first line is data", ""),
    (", or name what lies elsewhere (--features image=FILE)", ""),
    ("expected NAME=FILE of at least one modality", "expected at least one modality"),
    ("choose another --out", "choose another dir"),
    ("pass --overwrite", "pass overwrite=True"),
    ("with --overwrite", "with overwrite=True"),
    ("--user-column", "user="),
    ("--item-column", "item="),
    ("--rating-column ", "rating="),
    ("--rating-column", "rating="),
    ("--timestamp-column ", "timestamp="),
    ("--timestamp-column", "timestamp="),
    ("--split-column", "split_column="),
    ("--min-rating", "min_rating"),
];

/// A message, or a note, whose remedies are those of the package.
pub(crate) fn in_python(message: &str) -> String {
    WORDS.iter().fold(message.to_owned(), |text, (option, word)| text.replace(option, word))
}
