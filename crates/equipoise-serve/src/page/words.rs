//! Numbers and names as the page writes them.

use equipoise_recommend::ServedModel;

/// A value with its sign, three digits behind the point.
pub(crate) fn signed(value: f64) -> String {
    let text = number(value);
    if text.starts_with('\u{2212}') || text == "0.000" { text } else { format!("+{text}") }
}

/// A value with three digits behind the point and a true minus sign; a zero has none.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    match text.strip_prefix('-') {
        Some("0.000") => "0.000".to_owned(),
        Some(rest) => format!("\u{2212}{rest}"),
        None => text,
    }
}

/// A count with commas between thousands.
pub(crate) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A weight without needless digits.
pub(crate) fn weight(value: f64) -> String {
    format!("{}", (value * 100.0).round() / 100.0)
}

/// The class that carries a modality's colour; six colours, then round again, as in the report.
pub(crate) fn colour(model: &ServedModel, modality: &str) -> String {
    let place = model.modalities().iter().position(|m| m == modality);
    place.map_or_else(|| "ids".to_owned(), |place| format!("m{}", place % 6))
}

/// The title of an item, or its id if it has none.
pub(crate) fn title(model: &ServedModel, row: u32) -> String {
    model.infos().title(row).unwrap_or_else(|| model.vocabulary().items()[row as usize].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_true_signs_and_no_negative_zero() {
        let cases = [(0.5, "+0.500"), (-0.25, "\u{2212}0.250"), (-0.0001, "0.000"), (0.0, "0.000")];
        for (value, expected) in cases {
            assert_eq!(signed(value), expected);
        }
        assert_eq!(number(1.25), "1.250");
    }

    #[test]
    fn counts_have_commas_and_weights_no_needless_digits() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([1.0, 0.25, 0.30000000000000004].map(weight), ["1", "0.25", "0.3"]);
    }
}
