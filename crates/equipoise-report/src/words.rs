//! Numbers and lists as people write them.

/// A metric with four decimals; `n/a` when it is not finite.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "n/a".into();
    }
    let text = if value.abs() < 1e6 { format!("{value:.4}") } else { format!("{value:.3e}") };
    // "-0.0000" is a rounding artefact, not a negative number.
    if text == "-0.0000" { "0.0000".into() } else { text }
}

/// A share as a percentage: one decimal below 10 %, none above.
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    if !value.is_finite() {
        return "n/a".into();
    }
    let text = match value.abs() {
        size if size < 0.05 => "0".into(),
        size if size < 9.95 => format!("{value:.1}"),
        size if size < 1e6 => format!("{value:.0}"),
        _ => format!("{value:.1e}"),
    };
    format!("{text} %")
}

/// The change from `before` to `after` relative to `before`, with its sign: `+23 %`.
pub fn change(before: f64, after: f64) -> String {
    let share = (after - before) / before;
    let text = percent(share);
    if share > 0.0 && text != "n/a" { format!("+{text}") } else { text }
}

/// `a`, `a and b`, `a, b and c`.
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A count with thousands set apart: `19,445`.
pub fn count(value: usize) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A name without control characters: it may reach a terminal.
pub fn name(raw: &str) -> String {
    raw.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// A name of at most `limit` characters, cut with an ellipsis.
pub fn short_name(raw: &str, limit: usize) -> String {
    let clean = name(raw);
    if clean.chars().count() <= limit {
        return clean;
    }
    let kept: String = clean.chars().take(limit.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// With a capital first letter.
pub(crate) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_decimals_and_no_negative_zero() {
        assert_eq!(number(0.05678), "0.0568");
        assert_eq!(number(-0.00001), "0.0000");
        assert_eq!(number(f64::NAN), "n/a");
    }

    #[test]
    fn percentages_keep_two_significant_digits_or_so() {
        assert_eq!(percent(0.6134), "61 %");
        assert_eq!(percent(0.0321), "3.2 %");
        assert_eq!(percent(-0.0321), "-3.2 %");
        assert_eq!(percent(-0.0001), "0 %");
        assert_eq!(percent(f64::INFINITY), "n/a");
        assert_eq!(change(0.0462, 0.0568), "+23 %");
        assert_eq!(change(0.0, 0.0568), "n/a");
    }

    #[test]
    fn lists_and_counts_read_as_prose() {
        let names = ["text", "visual", "acoustic"].map(String::from);
        assert_eq!(list(&names), "text, visual and acoustic");
        assert_eq!(list(&names[..2]), "text and visual");
        assert_eq!(count(1234567), "1,234,567");
        assert_eq!(count(999), "999");
    }

    #[test]
    fn names_lose_control_characters_and_excess_length() {
        assert_eq!(name("a\u{1b}[31mb"), "a?[31mb");
        assert_eq!(short_name("sentence-transformer", 8), "sentenc…");
    }
}
