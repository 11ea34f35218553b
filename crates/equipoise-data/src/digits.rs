//! Hashes in messages.

/// Fewest digits that are shown.
const FEW: usize = 12;

/// The first digits of a hash.
pub fn first_digits(hash: &str) -> &str {
    hash.get(..FEW).unwrap_or(hash)
}

/// As many first digits of two hashes as tell them apart: twelve, or more where these are equal.
pub fn told_apart<'a>(a: &'a str, b: &'a str) -> (&'a str, &'a str) {
    let equal = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let shown = FEW.max(equal + 4);
    (a.get(..shown).unwrap_or(a), b.get(..shown).unwrap_or(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_two_hashes_differs() {
        let (a, b) = ("0123456789abcdef0123", "1123456789abcdef0123");
        assert_eq!(told_apart(a, b), (first_digits(a), "1123456789ab"));
        let near = "0123456789abcdef1123";
        assert_eq!(told_apart(a, near), (a, near));
        assert_eq!(told_apart("0123456789abcd00000", "0123456789abcd11111").0, "0123456789abcd0000");
        assert_eq!(told_apart("", "abc"), ("", "abc"));
    }
}
