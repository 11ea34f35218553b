//! What the address of the page says. All that the page shows follows from it, so that every state of the page is a link, and
//! plain forms reach the same states as the script.

use form_urlencoded::Serializer;
use std::collections::BTreeMap;

/// Lengths of a list that the page offers; the first is the default.
pub(crate) const LENGTHS: [usize; 4] = [10, 20, 50, 100];
/// Most items of a basket.
pub(crate) const LARGEST_BASKET: usize = 100;
/// Most characters that are searched for.
const LONGEST_SEARCH: usize = 200;
/// Before the name of a modality in the name of its weight.
const WEIGHT: &str = "weight.";

/// A state of the page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Question {
    /// What is searched for; empty for nothing.
    pub search: String,
    /// Raw id of the user who gets a list.
    pub user: Option<String>,
    /// Raw ids of a stranger's items, in the order in which they were put in.
    pub basket: Vec<String>,
    /// Raw id of the item that is looked at.
    pub item: Option<String>,
    /// The modality by which items are like it; the whole model if absent.
    pub by: Option<String>,
    /// Length of the list; that of [`LENGTHS`] first if absent.
    pub length: Option<usize>,
    /// Weights of modalities by name; those of the model where absent.
    pub weights: BTreeMap<String, f64>,
    /// Name of the model; the first of the server if absent.
    pub model: Option<String>,
    /// Name of the model beside it.
    pub with: Option<String>,
}

impl Question {
    /// Reads the part of an address behind the question mark. A field that is empty counts as absent, as a form sends it.
    ///
    /// # Errors
    /// A sentence that names the field, what was expected and what was found.
    pub(crate) fn parse(query: &str) -> Result<Question, String> {
        let mut question = Question::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if !value.is_empty() {
                question.take(&name, value.into_owned())?;
            }
        }
        Ok(question)
    }

    fn take(&mut self, name: &str, value: String) -> Result<(), String> {
        match name {
            "q" if value.chars().count() > LONGEST_SEARCH => {
                return Err(format!("q: expected at most {LONGEST_SEARCH} characters"));
            }
            "q" => self.search = value,
            "user" => self.user = Some(value),
            "basket" if self.basket.contains(&value) => {}
            "basket" if self.basket.len() == LARGEST_BASKET => {
                return Err(format!("basket: expected at most {LARGEST_BASKET} items"));
            }
            "basket" => self.basket.push(value),
            "item" => self.item = Some(value),
            "by" => self.by = Some(value),
            "n" => self.length = Some(length(&value)?),
            "model" => self.model = Some(value),
            "with" => self.with = Some(value),
            _ => match name.strip_prefix(WEIGHT) {
                Some(modality) => {
                    self.weights.insert(modality.to_owned(), weight(name, &value)?);
                }
                None => return Err(format!("{name:.100}: the page has no such field")),
            },
        }
        Ok(())
    }

    /// The address of this state, beginning with the question mark.
    pub(crate) fn address(&self) -> String {
        let mut pairs = Serializer::for_suffix(String::from("?"), 1);
        self.fields().into_iter().for_each(|(name, value)| {
            pairs.append_pair(&name, &value);
        });
        pairs.finish()
    }

    /// Names and values of all fields that are not absent.
    pub(crate) fn fields(&self) -> Vec<(String, String)> {
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut add = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
        let search = (!self.search.is_empty()).then_some(&self.search);
        for (name, value) in [("q", search), ("user", self.user.as_ref())] {
            value.into_iter().for_each(|value| add(name, value));
        }
        self.basket.iter().for_each(|id| add("basket", id));
        let rest = [("item", &self.item), ("by", &self.by), ("model", &self.model), ("with", &self.with)];
        for (name, value) in rest {
            value.iter().for_each(|value| add(name, value));
        }
        self.length.iter().for_each(|n| add("n", &n.to_string()));
        self.weights.iter().for_each(|(m, weight)| add(&format!("{WEIGHT}{m}"), &weight.to_string()));
        fields
    }

    /// Length of the list.
    pub(crate) fn n(&self) -> usize {
        self.length.unwrap_or(LENGTHS[0])
    }

    /// The list of a user of the model.
    pub(crate) fn of_user(&self, id: &str) -> Question {
        let user = Some(id.to_owned());
        Question { user, basket: Vec::new(), search: String::new(), ..self.clone() }
    }

    /// A closer look at an item, by the whole model.
    pub(crate) fn of_item(&self, id: &str) -> Question {
        Question { item: Some(id.to_owned()), by: None, search: String::new(), ..self.clone() }
    }

    /// The items that are like the one that is looked at by one modality, or by the whole model.
    pub(crate) fn by(&self, modality: Option<&str>) -> Question {
        Question { by: modality.map(str::to_owned), ..self.clone() }
    }

    /// A stranger's basket with one more item.
    pub(crate) fn and(&self, id: &str) -> Question {
        let mut basket = self.basket.clone();
        if !basket.iter().any(|other| other == id) {
            basket.push(id.to_owned());
        }
        Question { user: None, basket, search: String::new(), ..self.clone() }
    }

    /// A stranger's basket without an item.
    pub(crate) fn but(&self, id: &str) -> Question {
        let basket = self.basket.iter().filter(|other| *other != id).cloned().collect();
        Question { basket, ..self.clone() }
    }

    /// The same of nobody.
    pub(crate) fn of_nobody(&self) -> Question {
        Question { user: None, basket: Vec::new(), ..self.clone() }
    }
}

/// The name of the field of a modality's weight.
pub(crate) fn weight_field(modality: &str) -> String {
    format!("{WEIGHT}{modality}")
}

fn length(value: &str) -> Result<usize, String> {
    let most = LENGTHS[LENGTHS.len() - 1];
    let read = value.parse().ok().filter(|n| (1..=most).contains(n));
    read.ok_or_else(|| format!("n: {value:.20}, expected a number from 1 to {most}"))
}

fn weight(field: &str, value: &str) -> Result<f64, String> {
    let read = value.parse().ok().filter(|weight: &f64| weight.is_finite());
    read.ok_or_else(|| format!("{field:.100}: {value:.20}, expected a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_all_of_a_state_and_is_read_back() {
        let question = Question {
            search: "a&b=c".into(),
            user: None,
            basket: vec!["é 1".into(), "?&#".into()],
            item: Some("+%".into()),
            by: Some("image".into()),
            length: Some(20),
            weights: [("image".to_owned(), 0.25), ("a.b".to_owned(), 0.0)].into(),
            model: Some("a".into()),
            with: Some("b".into()),
        };
        let address = question.address();
        assert!(address.starts_with('?') && address.is_ascii(), "{address}");
        assert_eq!(Question::parse(&address[1..]).unwrap(), question);
        assert_eq!(Question::parse("").unwrap().address(), "?");
    }

    #[test]
    fn empty_fields_are_absent_and_items_count_once() {
        let question = Question::parse("user=&n=&weight.image=&basket=a&basket=b&basket=a").unwrap();
        assert_eq!(question, Question { basket: vec!["a".into(), "b".into()], ..Question::default() });
    }

    #[test]
    fn what_the_page_cannot_use_is_refused_by_its_name() {
        let long = format!("q={}", "x".repeat(201));
        let many: String = (0..=LARGEST_BASKET).map(|i| format!("basket={i}&")).collect();
        for (query, named) in [
            ("users=u1", "users"),
            ("n=0", "n"),
            ("n=101", "n"),
            ("n=ten", "n"),
            ("weight.image=much", "weight.image"),
            ("weight.image=NaN", "weight.image"),
            (&long, "q"),
            (&many, "basket"),
        ] {
            let error = Question::parse(query).expect_err(query);
            assert!(error.starts_with(&format!("{named}: ")), "{error}");
            assert!(error.len() < 300, "{error}");
        }
    }

    #[test]
    fn a_user_and_a_basket_exclude_each_other() {
        let basket = Question::default().and("a").and("b").and("a");
        assert_eq!(basket.basket, ["a", "b"]);
        assert_eq!(basket.but("a").basket, ["b"]);
        let user = basket.of_user("u");
        assert_eq!((user.user.as_deref(), user.basket.len()), (Some("u"), 0));
        assert_eq!((user.and("c").user, user.and("c").basket), (None, vec!["c".to_owned()]));
    }
}
