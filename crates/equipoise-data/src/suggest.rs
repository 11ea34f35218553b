//! What was probably meant by a name.

/// Least likeness of a name that is suggested.
const LIKE: f64 = 0.8;
/// Longest word that is compared, in bytes.
const LONGEST: usize = 200;

/// The nearest of `names` to `word`, if one is near enough to be meant: by Jaro's and Winkler's likeness of both, or, a little
/// less, of what follows their last full stops.
pub fn closest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let last = |s: &'a str| s.rsplit('.').next().unwrap_or(s);
    let end = word.rsplit('.').next().unwrap_or(word);
    let score = |name| strsim::jaro_winkler(word, name).max(strsim::jaro_winkler(end, last(name)) - 0.02);
    let best = names.into_iter().map(|name| (score(name), name)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(score, _)| *score > LIKE).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_near_name_is_meant() {
        let names = ["users", "history", "vectors", "train.lr"];
        assert_eq!(closest("user", names), Some("users"));
        assert_eq!(closest("histroy", names), Some("history"));
        assert_eq!(closest("learning.lr", names), Some("train.lr"));
        assert_eq!(closest("basket", names), None);
        assert_eq!(closest(&"users".repeat(1000), ["users".repeat(1000).as_str()]), None);
    }
}
