//! A text as words, whatever its script.
//!
//! ```text
//! 1  compatibility composition (NFKC): full-width letters and digits, ligatures, accents set apart
//! 2  capitals and small letters made one, beyond ASCII too: upper case, then lower case; the final sigma is a sigma
//! 3  cut at the boundaries of words (UAX #29) and at what is neither letter, number nor a mark on one
//! 4  where a script has no blanks between words: each cluster of a letter and its marks is a word of its own
//! 5  an emoji is a word, with its skin tone and what is joined to it
//! ```
//!
//! Of step 4, Chinese, hiragana, Thai, Lao, Khmer, Burmese and their like come out of UAX #29 as single clusters already, so
//! that pairs of neighbours are bigrams of characters, as search engines index these scripts (McNamee and Mayfield 2004,
//! *Character N-Gram Tokenization for European Language Text Retrieval*; Lucene's CJK analyser). Words of katakana and of
//! hangul stay whole, and are followed by their clusters where they have more than one: their compounds and endings are
//! written together.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// The words of a text, in its order; clusters follow the word that they are of.
pub(super) fn words(text: &str) -> Vec<String> {
    let folded = folded(text);
    let mut words = Vec::new();
    for piece in folded.split_word_bounds() {
        if piece.starts_with(is_pictograph) {
            // The selector between a drawing in colour and one in black.
            words.push(piece.replace('\u{FE0F}', ""));
            continue;
        }
        let mut word = String::new();
        for cluster in piece.graphemes(true) {
            if cluster.starts_with(char::is_alphanumeric) {
                word.push_str(cluster);
            } else {
                push(&mut words, std::mem::take(&mut word));
            }
        }
        push(&mut words, word);
    }
    words
}

/// One form of letters that differ in width, composition or capitals alone.
fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_lowercase();
    }
    let composed: String = text.nfkc().collect();
    // Not composed letters may come out of the case of others; each step once more settles them.
    composed.to_uppercase().to_lowercase().nfkc().map(|c| if c == 'ς' { 'σ' } else { c }).collect()
}

fn push(words: &mut Vec<String>, word: String) {
    if word.is_empty() {
        return;
    }
    let clusters: Vec<&str> = word.graphemes(true).collect();
    let parts: Vec<String> = if clusters.len() > 1 && word.chars().any(joins_words) {
        clusters.into_iter().map(str::to_owned).collect()
    } else {
        Vec::new()
    };
    words.push(word);
    words.extend(parts);
}

/// Whether a character is drawn as an emoji or a symbol like one (blocks of the Unicode Standard, chapters 22.9 to 22.12).
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{1F000}'..='\u{1FAFF}' | '\u{2600}'..='\u{27BF}' | '\u{2B05}'..='\u{2B55}')
}

/// Whether words of this script run together without UAX #29 parting them: katakana and hangul (blocks of the Unicode
/// Standard, chapter 18; half-width forms are gone after NFKC).
fn joins_words(c: char) -> bool {
    matches!(
        c,
        '\u{30A0}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}'
        | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> String {
        words(text).join("|")
    }

    #[test]
    fn words_of_scripts_with_blanks_are_runs_of_letters_and_digits_in_small_letters() {
        for (text, expected) in [
            ("Blue-TOWEL, blue towel!", "blue|towel|blue|towel"),
            ("can't 3.5kg a_b", "can|t|3|5kg|a|b"),
            ("ÜBER Straße STRASSE", "über|strasse|strasse"),
            ("ΟΔΟΣ Οδός", "οδοσ|οδόσ"),
            ("Куртка КУРТКА", "куртка|куртка"),
            ("हिन्दी पुस्तक", "हिन्दी|पुस्तक"),
            ("كِتَاب جديد", "كِتَاب|جديد"),
            ("  -- !\u{3000}", ""),
        ] {
            assert_eq!(cut(text), expected, "{text}");
        }
    }

    #[test]
    fn emoji_are_words() {
        for (text, expected) in [
            ("Lamp 🔥🔥 hot", "lamp|🔥|🔥|hot"),
            ("❤️x❤", "❤|x|❤"),
            ("👩🏽‍🚀 🇫🇷", "👩🏽‍🚀|🇫🇷"),
            ("★★★ → ok ©", "★|★|★|ok"),
        ] {
            assert_eq!(cut(text), expected, "{text}");
        }
    }

    #[test]
    fn forms_of_one_letter_are_one() {
        for (one, other) in [
            ("cafe\u{301}", "café"),
            ("ＡＢＣ１２３", "abc123"),
            ("ﬁne", "fine"),
            ("ｶﾒﾗ", "カメラ"),
            ("İzmir", "i\u{307}zmir"),
        ] {
            assert_eq!(words(one), words(other), "{one} {other}");
        }
    }

    #[test]
    fn scripts_without_blanks_are_cut_and_nothing_of_a_mixed_text_is_lost() {
        for (text, expected) in [
            ("红色连衣裙", "红|色|连|衣|裙"),
            ("Nike运动鞋42码", "nike|运|动|鞋|42|码"),
            ("赤いスニーカー", "赤|い|スニーカー|ス|ニ|ー|カ|ー"),
            ("빨간 운동화", "빨간|빨|간|운동화|운|동|화"),
        ] {
            assert_eq!(cut(text), expected, "{text}");
        }
        for text in ["กล้องถ่ายรูป", "ເກີບກິລາ", "ស្បែកជើងកីឡា", "အားကစားဖိနပ်", "བོད་ཡིག"]
        {
            let found = words(text);
            assert!(found.len() >= 2, "{text}: {found:?}");
            let letters: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
            let kept: String = found.concat().chars().filter(|c| c.is_alphanumeric()).collect();
            let composed: String = letters.nfkc().filter(|c| c.is_alphanumeric()).collect();
            assert_eq!(kept, composed, "{text}: {found:?}");
        }
    }
}
