//! What is asked of a model and what it answers: one type for the library, the command line and HTTP.

use crate::filter::Filter;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Longest list that can be asked for.
pub const LONGEST_LIST: usize = 1000;

/// A request for recommendations. Exactly one of `users`, `history` and `vectors` is given; each entry gets a list.
///
/// ```
/// use equipoise_recommend::RecommendRequest;
/// let request: RecommendRequest = serde_json::from_str(
///     r#"{"history": [["i3", {"id": "i7", "weight": 2}]], "n": 5, "modality_weights": {"image": 0}}"#,
/// )?;
/// assert_eq!((request.n, request.exclude_seen), (5, true));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct RecommendRequest {
    /// Raw ids of users that the model was trained on, or of whom there is feedback.
    #[cfg_attr(feature = "openapi", schema(max_items = 1000))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Baskets of strangers: the items that each has met.
    #[cfg_attr(feature = "openapi", schema(max_items = 1000))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Vec<BasketItem>>,
    /// Rows of a user table made elsewhere, over all blocks of the model side by side.
    #[cfg_attr(feature = "openapi", schema(max_items = 1000))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vectors: Vec<Vec<f32>>,
    /// Length of the list, 1 to 1,000. The list is shorter where fewer items are left.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1000, default = 10))]
    pub n: usize,
    /// How many of the best items to leave out before the list begins.
    #[cfg_attr(feature = "openapi", schema(maximum = 1_000_000, default = 0))]
    pub offset: usize,
    /// Whether items that a user has met are left out: those of train and validation, those of the basket, and feedback.
    #[cfg_attr(feature = "openapi", schema(default = true))]
    pub exclude_seen: bool,
    /// Raw ids of items that are in no list.
    #[cfg_attr(feature = "openapi", schema(max_items = 1000))]
    pub exclude: Vec<String>,
    /// If given, only these items are candidates.
    #[cfg_attr(feature = "openapi", schema(max_items = 1000))]
    pub restrict: Option<Vec<String>>,
    /// If given, only items whose attributes pass are candidates.
    pub filter: Option<Filter>,
    /// Weights of modalities in this request, by name: 0 silences one, 1 leaves it as it was trained. Modalities that are
    /// not named keep the weights of the served model.
    pub modality_weights: BTreeMap<String, f64>,
    /// How much lists avoid items that are like one another, from 0 (not at all) to 1 (maximal marginal relevance).
    #[cfg_attr(feature = "openapi", schema(minimum = 0.0, maximum = 1.0, default = 0.0))]
    pub diversity: f64,
    /// Whether each item comes with the parts of its score and what speaks for it.
    pub explain: bool,
    /// What is done about ids that the model does not know.
    pub unknown: OnUnknown,
}

impl Default for RecommendRequest {
    fn default() -> RecommendRequest {
        RecommendRequest {
            users: Vec::new(),
            history: Vec::new(),
            vectors: Vec::new(),
            n: 10,
            offset: 0,
            exclude_seen: true,
            exclude: Vec::new(),
            restrict: None,
            filter: None,
            modality_weights: BTreeMap::new(),
            diversity: 0.0,
            explain: false,
            unknown: OnUnknown::Error,
        }
    }
}

/// What is done about ids that the model does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum OnUnknown {
    /// The request is refused.
    #[default]
    Error,
    /// Unknown items are left out, and who is left with nothing gets the most popular items. The answer says so.
    Popularity,
}

/// An item of a basket: its raw id, or an object of the id and a weight.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum BasketItem {
    /// An item that counts once.
    Id(String),
    /// An item with a weight above 0.
    Weighted(WeightedItem),
}

/// An item of a basket with its weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WeightedItem {
    /// Raw id of the item.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 1000))]
    pub id: String,
    /// How much it counts, above 0, at most 1,000,000.
    #[cfg_attr(feature = "openapi", schema(exclusive_minimum = 0.0, maximum = 1_000_000.0))]
    pub weight: f64,
}

impl<'de> Deserialize<'de> for BasketItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<BasketItem, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = BasketItem;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the raw id of an item, or an object of `id` and `weight`")
            }

            fn visit_str<E>(self, id: &str) -> Result<BasketItem, E> {
                Ok(BasketItem::Id(id.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BasketItem, A::Error> {
                WeightedItem::deserialize(MapAccessDeserializer::new(map)).map(BasketItem::Weighted)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl BasketItem {
    /// Raw id of the item.
    pub fn id(&self) -> &str {
        match self {
            BasketItem::Id(id) => id,
            BasketItem::Weighted(item) => &item.id,
        }
    }

    /// How much it counts.
    pub fn weight(&self) -> f64 {
        match self {
            BasketItem::Id(_) => 1.0,
            BasketItem::Weighted(item) => item.weight,
        }
    }
}

/// The lists of a request, in its order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Answer {
    /// One list for each user, basket or vector.
    pub lists: Vec<List>,
    /// Which model answered.
    pub model: ModelName,
    /// Milliseconds that the answer took.
    pub took_ms: f64,
}

/// One list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct List {
    /// Raw id of the user, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<String>,
    /// Name of the model that made the list, where several share the traffic.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<String>,
    /// The items, best first.
    pub items: Vec<ListItem>,
    /// What the list was made from instead of the model.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fallback: Option<Fallback>,
    /// Items of the basket that the model does not know, which were left out.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub ignored: Vec<String>,
}

/// What a list was made from instead of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Fallback {
    /// The number of users that met each item in training.
    Popularity,
}

/// An item of a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListItem {
    /// Raw id.
    pub id: String,
    /// Score of the model; of a fallback the number of users.
    pub score: f32,
    /// Title, where the served model knows one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// What ids and each modality add to the score; they add up to it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub parts: BTreeMap<String, f64>,
    /// The items of the history that are most like this one.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub because: Vec<Because>,
}

/// An item of the history that speaks for a recommendation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Because {
    /// Raw id.
    pub id: String,
    /// Title, where the served model knows one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// Cosine of the two items' rows, each block weighted as in the score.
    pub likeness: f64,
    /// The same of each modality's own rows.
    pub by_modality: BTreeMap<String, f64>,
}

/// Which model answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelName {
    /// Name of the run.
    pub name: String,
    /// Version of the served model: changes with every change of its files.
    pub version: String,
    /// Fingerprint of the data that it was trained on.
    pub fingerprint: String,
}

/// A request for what is most like an item or a user. Exactly one of `item` and `user` is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SimilarRequest {
    /// Raw id of an item.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 1000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Raw id of a user.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 1000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// How many, 1 to 1,000.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1000, default = 10))]
    pub n: usize,
    /// The modality by whose rows alone items are compared; users are compared as a whole.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 1000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modality: Option<String>,
}

impl Default for SimilarRequest {
    fn default() -> SimilarRequest {
        SimilarRequest { item: None, user: None, n: 10, modality: None }
    }
}

/// What is most like an item or a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Similar {
    /// Items, most like first; the score is the cosine.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub items: Vec<ListItem>,
    /// Users, most like first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub users: Vec<SimilarUser>,
    /// Which model answered.
    pub model: ModelName,
    /// Milliseconds that the answer took.
    pub took_ms: f64,
}

/// A user that is like another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SimilarUser {
    /// Raw id.
    pub id: String,
    /// Cosine of the two users' rows in the whole model.
    pub score: f64,
}

/// A request to explain one item to a user, or to a stranger with a basket. Exactly one of `user` and `history` is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    /// Raw id of a user.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 1000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The basket of a stranger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_items = 1000))]
    pub history: Option<Vec<BasketItem>>,
    /// Raw id of the item.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 1000))]
    pub item: String,
    /// Weights of modalities, as in a request for recommendations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub modality_weights: BTreeMap<String, f64>,
}

/// The name of the part of the ids in [`ListItem::parts`].
pub const IDS: &str = "ids";
