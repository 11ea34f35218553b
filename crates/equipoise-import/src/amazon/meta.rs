//! What an item is, from one line of a metadata file.

use std::borrow::Cow;

use equipoise_data::{LineFault, short};
use html_escape::decode_html_entities;
use serde_json::{Map, Value, json};

use super::config::TextRule;
use super::object::members;
use super::review::Release;

/// What of an item's metadata is kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    title: Option<String>,
    description: Option<String>,
    /// Several paths of labels, widest first.
    categories: Vec<Vec<String>>,
    brand: Option<String>,
    price: Option<Value>,
    picture: Option<String>,
    pub(crate) replaced: u64,
    /// Values `NaN` or infinite on the line.
    pub(crate) not_numbers: u64,
    pub(crate) release: Release,
}

/// The raw id that a line is about: `parent_asin` (2023), else `asin` (2014, 2018).
pub(crate) fn id(line: &[u8]) -> Result<String, LineFault> {
    let [parent, asin] = members(line, &["parent_asin", "asin"])?.values;
    match parent.or(asin) {
        Some(Value::String(id)) => Ok(id),
        Some(other) => {
            let found = short(&other.to_string());
            Err(LineFault::whole(format!("the item id is {found}, expected text; correct it")))
        }
        None => Err(LineFault::whole("neither asin nor parent_asin; give a file of metadata")),
    }
}

const FIELDS: [&str; 12] = [
    "title",
    "description",
    "categories",
    "brand",
    "store",
    "category",
    "parent_asin",
    "price",
    "imUrl",
    "imageURLHighRes",
    "imageURL",
    "images",
];

/// Everything that a text is made of, and what is shown of an item.
pub(crate) fn meta(line: &[u8]) -> Result<Meta, LineFault> {
    let found = members(line, &FIELDS)?;
    let [title, description, categories, brand, store, category, parent, price, pictures @ ..] = found.values;
    let release = match (&parent, &category) {
        (Some(_), _) => Release::Amazon2023,
        (None, Some(_)) => Release::Amazon2018,
        (None, None) => Release::Amazon2014,
    };
    Ok(Meta {
        title: title.map(|value| text("title", value)).transpose()?,
        description: description
            .map(|value| texts("description", value))
            .transpose()?
            .map(|parts| parts.join(" ")),
        categories: categories.or(category).map(paths).transpose()?.unwrap_or_default(),
        brand: brand.or(store).map(|value| text("brand", value)).transpose()?,
        price,
        picture: pictures.iter().flatten().find_map(address),
        replaced: found.replaced,
        not_numbers: found.not_numbers,
        release,
    })
}

fn text(field: &str, value: Value) -> Result<String, LineFault> {
    match value {
        Value::String(text) => Ok(text),
        // A few titles and brands are bare numbers.
        Value::Number(number) => Ok(number.to_string()),
        other => Err(wrong(field, &other, "text")),
    }
}

/// One text or a list of texts.
fn texts(field: &str, value: Value) -> Result<Vec<String>, LineFault> {
    match value {
        Value::Array(parts) => parts.into_iter().map(|part| text(field, part)).collect(),
        one => Ok(vec![text(field, one)?]),
    }
}

/// A list of paths (2014) or one path (2018, 2023).
fn paths(value: Value) -> Result<Vec<Vec<String>>, LineFault> {
    let Value::Array(list) = value else {
        return Err(wrong("categories", &value, "a list of categories"));
    };
    if list.iter().any(Value::is_array) {
        return list.into_iter().map(|path| texts("categories", path)).collect();
    }
    let path = texts("categories", Value::Array(list))?;
    Ok(if path.is_empty() { Vec::new() } else { vec![path] })
}

/// The address of a picture: a text (2014), the first of a list of texts (2018), or the largest of the first of a list of sizes (2023).
fn address(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Array(all) => all.iter().find_map(address),
        Value::Object(sizes) => {
            ["hi_res", "large", "thumb"].iter().find_map(|size| address(sizes.get(*size)?))
        }
        _ => None,
    }
}

/// A price: a number, or a text such as `$1,012.99`.
fn amount(price: &Value) -> Option<f64> {
    match price {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().trim_start_matches('$').replace(',', "").parse().ok(),
        _ => None,
    }
    .filter(|amount| amount.is_finite())
}

fn wrong(field: &str, value: &Value, expected: &str) -> LineFault {
    let found = short(&value.to_string());
    LineFault::whole(format!("{field} is {found}, expected {expected}; correct it"))
}

impl Meta {
    /// The item's text under a rule, one line, and whether entities of HTML were decoded in it. [`TextRule`] has the
    /// definitions.
    pub(crate) fn text(&self, rule: TextRule) -> (String, bool) {
        let written = self.written(rule);
        if rule != TextRule::Paper {
            return (written, false);
        }
        match decode_html_entities(&written) {
            Cow::Borrowed(_) => (written, false),
            // A decoded character may be a line end.
            Cow::Owned(text) => (one_line(&text), true),
        }
    }

    /// The text as the file has it.
    fn written(&self, rule: TextRule) -> String {
        let (title, description) = (self.title.as_deref(), self.description.as_deref());
        let brand = self.brand.as_deref();
        let labels = self.categories.iter().flatten().map(String::as_str);
        let text = match rule {
            TextRule::Lattice => return self.lattice().replace('\n', " "),
            TextRule::Paper => spaced(title.into_iter().chain(description).chain(labels).chain(brand)),
            TextRule::Mmrec => {
                let first = self.categories.iter().take(1).flatten().map(String::as_str);
                spaced(title.into_iter().chain(brand).chain(first).chain(description))
            }
        };
        one_line(&text)
    }

    fn lattice(&self) -> String {
        let mut text = String::from(" ");
        for label in self.categories.iter().flatten() {
            text.push_str(label);
            text.push(' ');
        }
        let title = self.title.as_deref().unwrap_or("");
        text.push_str(title);
        if self.brand.is_some() {
            text.push_str(title);
        }
        text.push_str(self.description.as_deref().unwrap_or(""));
        text
    }

    /// Whether there is a price that is no amount, such as a range or the name of a category.
    pub(crate) fn has_odd_price(&self) -> bool {
        self.price.as_ref().is_some_and(|price| price.as_str() != Some("") && amount(price).is_none())
    }

    /// What is shown of the item: title, brand, price, picture and categories, entities of HTML decoded.
    pub(crate) fn shown(&self) -> Map<String, Value> {
        let decoded = |text: &String| {
            let text = one_line(&decode_html_entities(text.trim()));
            (!text.trim().is_empty()).then(|| json!(text))
        };
        let categories = Some(self.category()).filter(|path| !path.is_empty());
        let members = [
            ("title", self.title.as_ref().and_then(decoded)),
            ("brand", self.brand.as_ref().and_then(decoded)),
            ("price", self.price.as_ref().and_then(amount).map(|amount| json!(amount))),
            ("picture", self.picture.as_ref().map(|address| json!(address))),
            ("categories", categories.map(|path| json!(path))),
        ];
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    /// Labels of the first path, widest first, entities of HTML decoded, those that are blank left out.
    pub(crate) fn category(&self) -> Vec<String> {
        let labels = self.categories.iter().take(1).flatten();
        let labels = labels.map(|label| decode_html_entities(label.trim()).into_owned());
        labels.filter(|label| !label.trim().is_empty()).collect()
    }
}

/// A text with spaces in the place of line ends.
fn one_line(text: &str) -> String {
    text.replace("\r\n", " ").replace(['\n', '\r'], " ")
}

/// Parts that are not blank, with spaces between them.
fn spaced<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let parts: Vec<&str> = parts.filter(|part| !part.trim().is_empty()).collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PYTHON: &[u8] = br#"{'asin': 'B1', 'title': "Cup 'n' Bowl", 'price': 3.5, 'brand': 'Acme',
        'related': {'also_bought': ['B2', 'B3']}, 'description': 'Red.\nBlue.',
        'categories': [['Baby', 'Feeding'], ['Toys', '']]}"#;

    fn texts_of(line: &[u8]) -> [String; 3] {
        // The lines of a file have no line breaks; these have, to be legible.
        let line: Vec<u8> = line.iter().copied().filter(|b| *b != b'\n').collect();
        let meta = meta(&line).expect("sound");
        TextRule::ALL.map(|rule| meta.text(rule).0)
    }

    #[test]
    fn texts_follow_their_rules() {
        assert_eq!(
            texts_of(PYTHON),
            [
                "Cup 'n' Bowl Red. Blue. Baby Feeding Toys Acme",
                " Baby Feeding Toys  Cup 'n' BowlCup 'n' BowlRed. Blue.",
                "Cup 'n' Bowl Acme Baby Feeding Red. Blue.",
            ]
        );
        // Without a brand the title comes once.
        assert_eq!(
            texts_of(br"{'asin': 'B1', 'title': 'Cup', 'categories': [['Baby']]}"),
            ["Cup Baby", " Baby Cup", "Cup Baby",]
        );
        assert_eq!(texts_of(b"{'asin': 'B1'}"), ["", " ", ""]);
    }

    #[test]
    fn the_release_of_2023_gives_the_same_parts() {
        let line = br#"{"main_category": "Baby", "title": "Cup", "features": ["a"], "description": ["Red.", "Blue."],
            "price": null, "store": "Acme", "categories": ["Baby", "Feeding"], "details": {"Brand": "x"},
            "parent_asin": "B1", "bought_together": null}"#;
        assert_eq!(id(line).as_deref(), Ok("B1"));
        assert_eq!(texts_of(line)[0], "Cup Red. Blue. Baby Feeding Acme");
        assert_eq!(meta(line).expect("sound").category(), ["Baby", "Feeding"]);
        let bare =
            br#"{"title": null, "description": [], "categories": [], "store": null, "parent_asin": "B1"}"#;
        assert_eq!(texts_of(bare)[0], "");
    }

    #[test]
    fn the_release_of_2018_has_one_category_and_entities_are_decoded() {
        let line = br#"{"category": ["Health &amp; Care", "Feeding"], "description": ["R&eacute;d &lt;3"], "title": "Cup",
            "brand": NaN, "asin": "B1"}"#;
        let found = meta(line).expect("sound");
        assert_eq!((found.release, found.not_numbers), (Release::Amazon2018, 1));
        assert_eq!(found.category(), ["Health & Care", "Feeding"]);
        assert_eq!(found.text(TextRule::Paper), ("Cup R\u{e9}d <3 Health & Care Feeding".into(), true));
        // The rules of other programs give the very texts of those.
        let written = "Cup Health &amp; Care Feeding R&eacute;d &lt;3".to_owned();
        assert_eq!(found.text(TextRule::Mmrec), (written, false));
        let plain = meta(b"{'asin': 'B1', 'title': 'Salt & Pepper'}").expect("sound");
        assert_eq!(plain.text(TextRule::Paper), ("Salt & Pepper".into(), false));
        assert_eq!(plain.release, Release::Amazon2014);
    }

    #[test]
    fn what_is_shown_has_prices_and_pictures_of_every_release() {
        let shown = |line: &[u8]| Value::Object(meta(line).expect("sound").shown()).to_string();
        assert_eq!(
            shown(b"{'asin': 'B1', 'title': 'Salt &amp; Pepper', 'price': 3.5, 'imUrl': 'http://x/a.jpg', 'brand': ' ',\
                   'categories': [['Baby', 'Feeding'], ['Toys']]}"),
            r#"{"title":"Salt & Pepper","price":3.5,"picture":"http://x/a.jpg","categories":["Baby","Feeding"]}"#
        );
        assert_eq!(
            shown(br#"{"asin": "B1", "category": [], "price": "$1,012.99", "imageURL": ["s"], "imageURLHighRes": ["l", "m"]}"#),
            r#"{"price":1012.99,"picture":"l"}"#
        );
        let line = br#"{"parent_asin": "B1", "price": "from 9.99", "images": [{"thumb": "t", "large": "l", "hi_res": null}]}"#;
        assert_eq!(shown(line), r#"{"picture":"l"}"#);
        assert!(meta(line).expect("sound").has_odd_price());
        assert!(!meta(b"{'asin': 'B1', 'price': ''}").expect("sound").has_odd_price());
    }

    #[test]
    fn fields_of_the_wrong_kind_are_named() {
        for (line, expected) in [
            ("{'title': ['x']}", "title is [\"x\"], expected text"),
            ("{'categories': 'Baby'}", "categories is \"Baby\", expected a list"),
            ("{'categories': [['Baby', None]]}", "categories is null, expected text"),
            ("{'description': {'a': 1}}", "description is {\"a\":1}, expected text"),
        ] {
            let fault = meta(line.as_bytes()).expect_err(line);
            assert!(fault.problem.contains(expected), "{line}: {}", fault.problem);
        }
        assert!(id(b"{'title': 'x'}").expect_err("no id").problem.contains("neither asin nor parent_asin"));
        assert!(id(b"{'asin': 3}").expect_err("a number").problem.contains("item id is 3"));
    }
}
