//! Users and items by what is typed: a part of an id or of a title, whatever the case and without regard to accents.

use equipoise_recommend::ServedModel;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// How many of each kind are shown.
pub(crate) const SHOWN: usize = 8;

/// What was found, the best first.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// Rows of users.
    pub users: Vec<u32>,
    /// How many users there are in all.
    pub all_users: usize,
    /// Rows of items.
    pub items: Vec<u32>,
    /// How many items there are in all.
    pub all_items: usize,
}

/// How well a text answers; the lower the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    /// It is what was typed.
    Whole,
    /// It begins so.
    Beginning,
    /// One of its words begins so.
    Word,
    /// It has it somewhere.
    Within,
}

/// Looks through all ids and titles of a model. It keeps no index, which would cost as much memory as the texts: a million
/// items are read in about a tenth of a second.
pub(crate) fn find(model: &ServedModel, typed: &str) -> Found {
    let mut wanted = String::new();
    fold(typed.trim(), &mut wanted);
    if wanted.is_empty() {
        return Found::default();
    }
    let vocabulary = model.vocabulary();
    let mut text = String::new();
    let mut judged = |candidate: &str| {
        fold(candidate, &mut text);
        judge(&text, &wanted)
    };
    let users = (0..).zip(vocabulary.users().iter()).filter_map(|(row, id)| Some((judged(id)?, row)));
    let (users, all_users) = best(users);
    let items = (0..).zip(vocabulary.items().iter()).filter_map(|(row, id)| {
        let title = model.infos().of(row).and_then(|info| info.title.as_deref());
        let matches = [judged(id), title.and_then(&mut judged)];
        Some((matches.into_iter().flatten().min()?, row))
    });
    let (items, all_items) = best(items);
    Found { users, all_users, items, all_items }
}

/// The first rows by match, then by row, and the number of all.
fn best(matches: impl Iterator<Item = (Match, u32)>) -> (Vec<u32>, usize) {
    let mut kept: Vec<(Match, u32)> = Vec::with_capacity(SHOWN + 1);
    let mut all = 0;
    for found in matches {
        all += 1;
        let place = kept.partition_point(|other| *other <= found);
        if place < SHOWN {
            kept.insert(place, found);
            kept.truncate(SHOWN);
        }
    }
    (kept.into_iter().map(|(_, row)| row).collect(), all)
}

fn judge(text: &str, wanted: &str) -> Option<Match> {
    let first = text.find(wanted)?;
    if first == 0 {
        return Some(if text.len() == wanted.len() { Match::Whole } else { Match::Beginning });
    }
    let begins = |at: usize| !text[..at].ends_with(char::is_alphanumeric);
    let word = text.match_indices(wanted).any(|(at, _)| begins(at));
    Some(if word { Match::Word } else { Match::Within })
}

/// A text in lower case, without accents, with compatible characters as one, in place of what `folded` held.
fn fold(text: &str, folded: &mut String) {
    folded.clear();
    if text.is_ascii() {
        folded.push_str(text);
        folded.make_ascii_lowercase();
        return;
    }
    let letters = text.nfkd().filter(|c| !is_combining_mark(*c));
    folded.extend(letters.flat_map(char::to_lowercase));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        let mut folded = "left over".to_owned();
        fold(text, &mut folded);
        folded
    }

    #[test]
    fn case_accents_and_widths_do_not_tell_texts_apart() {
        for (a, b) in [("Crème Brûlée", "creme brulee"), ("ÀÉÎ", "aei"), ("Ｆｕｌｌ", "full"), ("ABC", "abc")]
        {
            assert_eq!(folded(a), b);
        }
    }

    #[test]
    fn a_whole_text_comes_before_a_beginning_a_word_and_a_part() {
        let judged = |text: &str| judge(text, "oak");
        assert_eq!(judged("oak"), Some(Match::Whole));
        assert_eq!(judged("oaken chair"), Some(Match::Beginning));
        assert_eq!(judged("soak in oak"), Some(Match::Word));
        assert_eq!(judged("soaked"), Some(Match::Within));
        assert_eq!(judged("elm"), None);
    }

    #[test]
    fn the_best_rows_are_kept_and_all_are_counted() {
        let matches = (0..100).map(|row| (if row == 77 { Match::Whole } else { Match::Within }, row));
        let (rows, all) = best(matches);
        assert_eq!((rows, all), (vec![77, 0, 1, 2, 3, 4, 5, 6], 100));
    }
}
