//! What was probably meant by a name.

/// Least likeness of a name that is suggested.
const LIKE: f64 = 0.8;
/// Longest word that is compared, in bytes.
const LONGEST: usize = 200;

/// The nearest of some names, if one is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let scored = names.into_iter().map(|name| (strsim::jaro_winkler(word, name), name));
    scored.filter(|(score, _)| *score >= LIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_near_name_is_meant() {
        let names = ["users", "history", "vectors"];
        assert_eq!(nearest("user", names), Some("users"));
        assert_eq!(nearest("histroy", names), Some("history"));
        assert_eq!(nearest("basket", names), None);
        assert_eq!(nearest(&"users".repeat(1000), ["users".repeat(1000).as_str()]), None);
    }
}
