//! HTML entities in texts: `AT&amp;T` is AT&T.

use crate::item_texts::ItemTexts;

/// Decodes the entities of every text, once; returns the number of texts that had some.
///
/// Texts of shops are often cut out of pages. An entity that is itself escaped (`&amp;lt;`) becomes the entity, not what
/// that stands for.
pub(crate) fn decode(found: &mut ItemTexts) -> usize {
    let mut decoded = 0;
    for text in found.texts.iter_mut().flatten() {
        if !text.contains('&') {
            continue;
        }
        let plain = html_escape::decode_html_entities(text.as_str());
        if plain != text.as_str() {
            *text = plain.into_owned();
            decoded += 1;
        }
    }
    // A text of blanks alone ("&nbsp;") is none.
    found.texts.iter_mut().for_each(|text| *text = text.take().filter(|text| !text.trim().is_empty()));
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_decoded_once_and_what_is_none_stays() {
        let texts =
            ["AT&amp;T", "&#39;n&#x27;", "R&D; &bogus; Q&A", "&amp;lt;", "&nbsp;", "caf&eacute;", "plain"];
        let mut found =
            ItemTexts { texts: texts.map(|text| Some(text.to_owned())).to_vec(), ..ItemTexts::default() };
        assert_eq!(decode(&mut found), 5);
        let expected = [
            Some("AT&T"),
            Some("'n'"),
            Some("R&D; &bogus; Q&A"),
            Some("&lt;"),
            None,
            Some("café"),
            Some("plain"),
        ];
        assert_eq!(found.texts, expected.map(|text| text.map(str::to_owned)));
    }
}
