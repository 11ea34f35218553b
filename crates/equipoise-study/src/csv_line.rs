//! Lines of tables that other programs read.

/// A line of comma-separated values (RFC 4180): fields with commas, quotes or line breaks are quoted.
pub(crate) fn csv_line(fields: &[String]) -> String {
    let mut line = csv::Writer::from_writer(Vec::new());
    line.write_record(fields).expect("memory takes what is written");
    String::from_utf8(line.into_inner().expect("memory takes what is written")).expect("fields are texts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_with_commas_quotes_and_breaks_are_quoted() {
        let fields = ["plain", "", "a,b", "say \"no\"", "two\nlines"].map(String::from);
        assert_eq!(csv_line(&fields), "plain,,\"a,b\",\"say \"\"no\"\"\",\"two\nlines\"\n");
    }
}
