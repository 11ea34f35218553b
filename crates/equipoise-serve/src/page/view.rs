//! What the page shows: the answers of the models to one question.

use super::find::{Found, find};
use super::pictures::Pictures;
use super::question::Question;
use crate::problem::Problem;
use axum::http::StatusCode;
use equipoise_recommend::{
    Answer, BasketItem, Explanation, List, ListItem, OnUnknown, RecommendRequest, ServedModel,
};
use std::collections::{BTreeMap, HashMap};

/// How far down the list under the model's own weights a place is looked up.
const LOOKED_UP: usize = 200;
/// How many similar items are shown.
const SIMILAR: usize = 10;
/// Models of more items are not ranked in full for one sentence of the page.
const RANKED_IN_FULL: usize = 200_000;

/// The name of a model that the server was given without one.
const UNNAMED: &str = "default";

/// A model by the name under which the server has it.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    pub name: &'a str,
    pub model: &'a ServedModel,
}

impl<'a> Named<'a> {
    /// The name that a reader is shown: that of the directory where the server was given none.
    pub(crate) fn shown(self) -> &'a str {
        if self.name == UNNAMED { &self.model.name().name } else { self.name }
    }
}

/// What answers a request: the model alone, or the server with what it knows beyond it.
pub(crate) type Ask<'a> = &'a dyn Fn(Named, &RecommendRequest) -> Result<Answer, Problem>;

/// All that the page shows.
pub(crate) struct View<'a> {
    pub question: &'a Question,
    /// All models of the server.
    pub models: &'a [Named<'a>],
    /// Where pictures may come from.
    pub pictures: &'a Pictures,
    /// The one whose list is shown.
    pub main: Named<'a>,
    /// What was searched for, if anything was.
    pub found: Option<Found>,
    /// Rows of the items that a user has met, or that the basket holds.
    pub history: Vec<u32>,
    /// One list, or two side by side.
    pub columns: Result<Vec<Column<'a>>, Problem>,
    /// The item that is looked at.
    pub item: Option<Result<Look, Problem>>,
}

/// The list of one model.
pub(crate) struct Column<'a> {
    pub named: Named<'a>,
    pub list: List,
    /// Milliseconds.
    pub took: f64,
    /// Places from 1 under the model's own weights; `None` if those are in force.
    pub before: Option<HashMap<String, usize>>,
}

/// A closer look at one item.
pub(crate) struct Look {
    pub row: u32,
    pub similar: Vec<ListItem>,
    /// Why the user gets it, if a user was named.
    pub explained: Option<Explanation>,
}

impl<'a> View<'a> {
    /// Asks the models.
    ///
    /// # Errors
    /// If the server has no model of a name in the question.
    pub(crate) fn new(
        models: &'a [Named<'a>],
        question: &'a Question,
        pictures: &'a Pictures,
        ask: Ask,
    ) -> Result<View<'a>, Problem> {
        let main = match &question.model {
            Some(name) => by_name("model", name, models)?,
            None => models[0],
        };
        let beside = question.with.iter().filter(|name| *name != main.name);
        let beside = beside.map(|name| by_name("with", name, models)).collect::<Result<Vec<_>, _>>()?;
        let shown = [main].into_iter().chain(beside);
        Ok(View {
            question,
            models,
            pictures,
            main,
            found: (!question.search.is_empty()).then(|| find(main.model, &question.search)),
            history: history(main.model, question),
            columns: shown.map(|named| column(named, main, question, ask)).collect(),
            item: question.item.as_ref().map(|id| look(main.model, id, question)),
        })
    }

    /// The status of the answer: that of the first problem.
    pub(crate) fn status(&self) -> StatusCode {
        let problems = [self.columns.as_ref().err(), self.item.as_ref().and_then(|item| item.as_ref().err())];
        problems.into_iter().flatten().next().map_or(StatusCode::OK, Problem::code)
    }

    /// The weight of a modality that is in force in a model.
    pub(crate) fn weight(&self, model: &ServedModel, modality: &str) -> f64 {
        let own = model.settings().weights.get(modality);
        self.question.weights.get(modality).or(own).copied().unwrap_or(1.0)
    }

    /// Whether nobody is named who gets the list.
    pub(crate) fn of_nobody(&self) -> bool {
        self.question.user.is_none() && self.question.basket.is_empty()
    }
}

/// The weights of a model where a request says nothing.
pub(crate) fn own_weights(model: &ServedModel) -> BTreeMap<String, f64> {
    let weights = &model.settings().weights;
    let of = |name: &String| (name.clone(), weights.get(name).copied().unwrap_or(1.0));
    model.modalities().iter().map(of).collect()
}

fn by_name<'a>(field: &str, name: &str, models: &'a [Named<'a>]) -> Result<Named<'a>, Problem> {
    models.iter().find(|named| named.name == name).copied().ok_or_else(|| {
        let names: Vec<&str> = models.iter().map(|named| named.name).collect();
        Problem::field(field, format!("the server has no model {name:.100?}, only {}", names.join(", ")))
    })
}

fn history(model: &ServedModel, question: &Question) -> Vec<u32> {
    let vocabulary = model.vocabulary();
    match question.user.as_ref().map(|id| vocabulary.user(id)) {
        Some(Some(user)) => {
            let sets = [model.tables().train(), model.tables().validation()].map(|set| set.items_of(user));
            sets.into_iter().flatten().copied().collect()
        }
        Some(None) => Vec::new(),
        None => question.basket.iter().filter_map(|id| vocabulary.item(id)).collect(),
    }
}

/// The request for a list. A second model is asked for what it knows: it may lack a modality or an item of the first.
fn request(named: Named, main: Named, question: &Question) -> RecommendRequest {
    let basket = || question.basket.iter().cloned().map(BasketItem::Id).collect::<Vec<_>>();
    let has = |modality: &String| named.name == main.name || named.model.modalities().contains(modality);
    let weights = question.weights.iter().filter(|(modality, _)| has(modality));
    let strict = named.name == main.name && !(question.user.is_none() && question.basket.is_empty());
    RecommendRequest {
        users: question.user.iter().cloned().collect(),
        history: if question.user.is_none() { vec![basket()] } else { Vec::new() },
        n: question.n(),
        modality_weights: weights.map(|(modality, &weight)| (modality.clone(), weight)).collect(),
        explain: true,
        unknown: if strict { OnUnknown::Error } else { OnUnknown::Popularity },
        ..RecommendRequest::default()
    }
}

fn column<'a>(named: Named<'a>, main: Named, question: &Question, ask: Ask) -> Result<Column<'a>, Problem> {
    let request = request(named, main, question);
    let mut answer = ask(named, &request)?;
    let list = answer.lists.pop().expect("one list for the one who asks");
    let own = own_weights(named.model);
    let moved = request.modality_weights.iter().any(|(modality, weight)| own.get(modality) != Some(weight));
    let before = if moved && list.fallback.is_none() { Some(places(named, &request, ask)?) } else { None };
    Ok(Column { named, list, took: answer.took_ms, before })
}

/// Places of items under the model's own weights.
fn places(named: Named, request: &RecommendRequest, ask: Ask) -> Result<HashMap<String, usize>, Problem> {
    let plain = RecommendRequest {
        modality_weights: BTreeMap::new(),
        explain: false,
        n: LOOKED_UP,
        ..request.clone()
    };
    let lists = ask(named, &plain)?.lists;
    Ok(lists.into_iter().flat_map(|list| list.items).map(|item| item.id).zip(1..).collect())
}

fn look(model: &ServedModel, id: &str, question: &Question) -> Result<Look, Problem> {
    let row = model.item(id)?;
    let similar = model.similar_items(id, SIMILAR, question.by.as_deref())?;
    let small = model.tables().n_items() <= RANKED_IN_FULL;
    let known = question.user.as_ref().filter(|user| small && model.vocabulary().user(user).is_some());
    let request =
        RecommendRequest { modality_weights: question.weights.clone(), ..RecommendRequest::default() };
    let explained = match known {
        Some(user) => Some(model.weighted(&request)?.explain(user, id)?),
        None => None,
    };
    Ok(Look { row, similar, explained })
}
