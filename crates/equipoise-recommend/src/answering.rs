//! From a request to its answer.

use crate::error::RecommendError;
use crate::explain::Explainer;
use crate::request::{Answer, Fallback, LONGEST_LIST, List, ListItem, OnUnknown, RecommendRequest};
use crate::scorer::{JoinedItems, UserRows, counted, directions, item_rows, product};
use crate::served::ServedModel;
use crate::unknown::unknown;
use crate::weighting::ScoreWeights;
use std::sync::Arc;
use std::time::Instant;

/// How many candidates a diverse list is chosen from, for each of its places.
const POOL: usize = 5;

/// One user, basket or vector of a request.
pub(crate) struct Asker {
    /// Rows by block; `None` if the model knows nothing of who asks.
    rows: Option<UserRows>,
    /// What they have met, ascending, with weights.
    pub(crate) history: Vec<(u32, f64)>,
    list: List,
}

/// The candidates of a request: all items, or the rows of some.
struct Candidates {
    joined: Arc<JoinedItems>,
    /// The items that the positions stand for, ascending; `None` for all.
    items: Option<Vec<u32>>,
}

impl ServedModel {
    /// Answers a request.
    ///
    /// # Errors
    /// A field that cannot be used, with its name; an id that the model does not know, unless the request says what to do.
    pub fn answer(&self, request: &RecommendRequest) -> Result<Answer, RecommendError> {
        let start = Instant::now();
        check(request)?;
        let weighting = self.weighting_of(request)?;
        let coefficients = weighting.coefficients(self.tables())?;
        let mut askers = self.askers(request, &coefficients)?;
        let candidates = self.candidates(request, &coefficients)?;
        let lists = self.ranked(request, &coefficients, &candidates, &askers)?;
        let explainer = request.explain.then(|| Explainer::new(self, &weighting)).transpose()?;
        for (asker, ranked) in askers.iter_mut().zip(lists) {
            let mut items = self.named(&ranked);
            if let (Some(explainer), Some(rows)) = (&explainer, &asker.rows) {
                for (item, &(row, _)) in items.iter_mut().zip(&ranked) {
                    item.parts = explainer.parts(rows, row);
                    item.because = explainer.because(&asker.history, row);
                }
            }
            asker.list.items = items;
        }
        let lists = askers.into_iter().map(|asker| asker.mark().list).collect();
        Ok(Answer { lists, model: self.name().clone(), took_ms: start.elapsed().as_secs_f64() * 1e3 })
    }

    /// The same model with the weights that a request asks for.
    ///
    /// # Errors
    /// A modality that the model lacks, a weight that is none.
    pub fn weighted(&self, request: &RecommendRequest) -> Result<ServedModel, RecommendError> {
        self.with_weighting(self.weighting_of(request)?)
    }

    /// The weighting that a request asks for.
    pub(crate) fn weighting_of(&self, request: &RecommendRequest) -> Result<ScoreWeights, RecommendError> {
        if request.modality_weights.is_empty() {
            return Ok(self.weighting().clone());
        }
        let mut weights = match self.weighting() {
            ScoreWeights::Weights(weights) => weights.clone(),
            ScoreWeights::Under(_) => vec![1.0; self.modalities().len()],
        };
        for (name, &weight) in &request.modality_weights {
            let m =
                self.modality(name).map_err(|e| RecommendError::field("modality_weights", e.to_string()))?;
            weights[m] = ScoreWeights::check(name, weight)?;
        }
        Ok(ScoreWeights::Weights(weights))
    }

    /// The position of a modality.
    ///
    /// # Errors
    /// If the model has no such modality.
    pub fn modality(&self, name: &str) -> Result<usize, RecommendError> {
        let found = self.modalities().iter().position(|m| m == name);
        found.ok_or_else(|| unknown("modality", name, self.modalities()))
    }

    /// The row of an item by its raw id.
    ///
    /// # Errors
    /// If the model does not know it; the message names a near one.
    pub fn item(&self, id: &str) -> Result<u32, RecommendError> {
        self.vocabulary().item(id).ok_or_else(|| unknown("item", id, self.vocabulary().items()))
    }

    /// The row of a user by its raw id.
    ///
    /// # Errors
    /// If the model does not know it; the message names a near one.
    pub fn user(&self, id: &str) -> Result<u32, RecommendError> {
        self.vocabulary().user(id).ok_or_else(|| unknown("user", id, self.vocabulary().users()))
    }

    fn named(&self, ranked: &[(u32, f32)]) -> Vec<ListItem> {
        let name = |&(row, score): &(u32, f32)| ListItem {
            id: self.vocabulary().items()[row as usize].clone(),
            title: self.infos().title(row),
            score,
            ..ListItem::default()
        };
        ranked.iter().map(name).collect()
    }

    fn askers(
        &self,
        request: &RecommendRequest,
        coefficients: &[(usize, f32)],
    ) -> Result<Vec<Asker>, RecommendError> {
        let users = request.users.iter().map(|id| self.known(id, request));
        let strangers = request.history.iter().map(|basket| self.stranger_of(basket, request, coefficients));
        let vectors = request.vectors.iter().enumerate().map(|(k, vector)| self.vector(k, vector));
        users.chain(strangers).chain(vectors).collect()
    }

    fn known(&self, id: &str, request: &RecommendRequest) -> Result<Asker, RecommendError> {
        let list = List { user: Some(id.to_owned()), ..List::default() };
        let user = match (self.user(id), request.unknown) {
            (Ok(user), _) => user,
            (Err(error), OnUnknown::Error) => return Err(error),
            (Err(_), OnUnknown::Popularity) => return Ok(Asker { rows: None, history: Vec::new(), list }),
        };
        let (rows, history) = self.trained_user(user);
        Ok(Asker { rows: Some(rows), history, list })
    }

    /// The rows of a user of the model, and what they have met in train and validation, ascending.
    pub(crate) fn trained_user(&self, user: u32) -> (UserRows, Vec<(u32, f64)>) {
        let (tables, row) = (self.tables(), user as usize);
        let rows =
            tables.blocks().iter().map(|b| Some(b.users()[row * b.width()..(row + 1) * b.width()].to_vec()));
        let sets = [tables.train(), tables.validation()].map(|set| set.items_of(user));
        let mut history: Vec<(u32, f64)> = sets.into_iter().flatten().map(|&item| (item, 1.0)).collect();
        history.sort_unstable_by_key(|&(item, _)| item);
        history.dedup_by_key(|&mut (item, _)| item);
        (rows.collect(), history)
    }

    fn stranger_of(
        &self,
        basket: &[crate::request::BasketItem],
        request: &RecommendRequest,
        coefficients: &[(usize, f32)],
    ) -> Result<Asker, RecommendError> {
        let (mut history, mut list) = (Vec::new(), List::default());
        for item in basket {
            if !(item.weight().is_finite() && item.weight() > 0.0) {
                let problem = format!(
                    "weight {} of item `{:.100}`, expected a number above 0",
                    item.weight(),
                    item.id()
                );
                return Err(RecommendError::field("history", problem));
            }
            match (self.item(item.id()), request.unknown) {
                (Ok(row), _) => history.push((row, item.weight())),
                (Err(error), OnUnknown::Error) => return Err(error),
                (Err(_), OnUnknown::Popularity) => list.ignored.push(item.id().to_owned()),
            }
        }
        // An item that occurs twice counts once, with its weights added up.
        history.sort_by_key(|&(item, _)| item);
        history.dedup_by(|next, first| {
            let same = next.0 == first.0;
            if same {
                first.1 += next.1;
            }
            same
        });
        let rows = match history.is_empty() {
            true => None,
            false => Some(self.stranger(&history, coefficients)?),
        };
        Ok(Asker { rows, history, list })
    }

    fn vector(&self, place: usize, vector: &[f32]) -> Result<Asker, RecommendError> {
        let blocks = self.tables().blocks();
        let width: usize = blocks.iter().map(|b| b.width()).sum();
        let field = || format!("vectors[{place}]");
        if vector.len() != width {
            let problem =
                format!("{} values, expected {width}: the rows of all blocks side by side", vector.len());
            return Err(RecommendError::field(field(), problem));
        }
        if !vector.iter().all(|v| v.is_finite()) {
            return Err(RecommendError::field(field(), "a value that is not finite"));
        }
        let mut rest = vector;
        let rows = blocks.iter().map(|block| {
            let (own, behind) = rest.split_at(block.width());
            rest = behind;
            Some(own.to_vec())
        });
        Ok(Asker { rows: Some(rows.collect()), history: Vec::new(), list: List::default() })
    }

    fn candidates(
        &self,
        request: &RecommendRequest,
        coefficients: &[(usize, f32)],
    ) -> Result<Candidates, RecommendError> {
        let blocks = counted(coefficients);
        let Some(items) = self.allowed(request)? else {
            return Ok(Candidates { joined: self.joined(&blocks)?, items: None });
        };
        let joined = Arc::new(JoinedItems::new(self.tables(), &blocks, Some(&items))?);
        Ok(Candidates { joined, items: Some(items) })
    }

    /// The items that `restrict` and `filter` let pass, ascending; `None` if both are absent.
    fn allowed(&self, request: &RecommendRequest) -> Result<Option<Vec<u32>>, RecommendError> {
        let mut items: Vec<u32> = match &request.restrict {
            Some(ids) => self.item_ids(ids, request.unknown)?,
            None if request.filter.is_none() => return Ok(None),
            None => (0..self.tables().n_items() as u32).collect(),
        };
        items.sort_unstable();
        items.dedup();
        if let Some(filter) = &request.filter {
            let names = self.infos().names();
            filter.check(|name| names.iter().any(|n| n == name), names)?;
            let nothing = serde_json::Map::new();
            items.retain(|&item| {
                filter.passes(self.infos().of(item).map_or(&nothing, |info| &info.attributes))
            });
        }
        Ok(Some(items))
    }

    fn item_ids(&self, ids: &[String], on_unknown: OnUnknown) -> Result<Vec<u32>, RecommendError> {
        let known = ids.iter().map(|id| self.item(id));
        match on_unknown {
            OnUnknown::Error => known.collect(),
            OnUnknown::Popularity => Ok(known.flatten().collect()),
        }
    }

    /// The lists of all who ask, as items and scores.
    fn ranked(
        &self,
        request: &RecommendRequest,
        coefficients: &[(usize, f32)],
        candidates: &Candidates,
        askers: &[Asker],
    ) -> Result<Vec<Vec<(u32, f32)>>, RecommendError> {
        let excluded = self.item_ids(&request.exclude, request.unknown)?;
        let pool = if request.diversity > 0.0 { request.n * POOL } else { 0 };
        let k = (request.offset + request.n).max(request.offset + pool);
        let (mut rows, mut pairs, mut known) = (Vec::new(), Vec::new(), 0u32);
        for asker in askers {
            let Some(own) = &asker.rows else { continue };
            for &(b, by) in coefficients {
                let block = own[b].as_ref().expect("every block that counts was filled");
                rows.extend(block.iter().map(|v| v * by));
            }
            let met = asker.history.iter().map(|&(item, _)| item).filter(|_| request.exclude_seen);
            let places = met.chain(excluded.iter().copied()).filter_map(|item| candidates.place(item));
            pairs.extend(places.map(|place| (known, place)));
            known += 1;
        }
        let mut lists = match known {
            0 => Vec::new(),
            _ => candidates.joined.best(&rows, &pairs, k)?,
        }
        .into_iter();
        let mut all = Vec::with_capacity(askers.len());
        for asker in askers {
            let list = match &asker.rows {
                Some(_) => candidates.items_of(lists.next().expect("one list for each row")),
                None => self.most_popular(request, candidates, asker, &excluded, k),
            };
            all.push(self.cut(request, list));
        }
        Ok(all)
    }

    fn most_popular(
        &self,
        request: &RecommendRequest,
        candidates: &Candidates,
        asker: &Asker,
        excluded: &[u32],
        k: usize,
    ) -> Vec<(u32, f32)> {
        let met = |item: &u32| request.exclude_seen && asker.history.iter().any(|(seen, _)| seen == item);
        let items = self.popular().iter().copied();
        let items = items
            .filter(|(item, _)| candidates.place(*item).is_some() && !excluded.contains(item) && !met(item));
        items.take(k).map(|(item, count)| (item, count as f32)).collect()
    }

    /// What of the best is the list: behind the offset, as many as were asked for, chosen for diversity if that was asked for.
    fn cut(&self, request: &RecommendRequest, best: Vec<(u32, f32)>) -> Vec<(u32, f32)> {
        let rest: Vec<(u32, f32)> = best.into_iter().skip(request.offset).collect();
        if request.diversity > 0.0 {
            return self.diverse(rest, request.n, request.diversity);
        }
        rest.into_iter().take(request.n).collect()
    }

    /// Maximal marginal relevance: each place goes to the candidate with the largest
    /// `(1 - diversity) * relevance - diversity * (largest cosine with an item before it)`, where relevance is the score
    /// brought to 0 to 1 over the candidates. Of equal values the better ranked comes first.
    fn diverse(&self, best: Vec<(u32, f32)>, n: usize, diversity: f64) -> Vec<(u32, f32)> {
        let Some(&(_, low)) = best.last() else { return best };
        let (high, width) = (best[0].1, self.tables().blocks().iter().map(|b| b.width()).sum::<usize>());
        let all: Vec<usize> = (0..self.tables().blocks().len()).collect();
        let items: Vec<u32> = best.iter().map(|&(item, _)| item).collect();
        let rows = directions(item_rows(self.tables(), &all, Some(&items)), width);
        let row = |place: usize| &rows[place * width..(place + 1) * width];
        let relevance = |score: f32| if high > low { f64::from((score - low) / (high - low)) } else { 1.0 };
        let (mut left, mut likeness): (Vec<usize>, Vec<f64>) =
            ((0..best.len()).collect(), vec![0.0; best.len()]);
        let mut list = Vec::with_capacity(n.min(best.len()));
        while list.len() < n && !left.is_empty() {
            let value =
                |&place: &usize| (1.0 - diversity) * relevance(best[place].1) - diversity * likeness[place];
            let mut chosen = 0;
            for k in 1..left.len() {
                if value(&left[k]) > value(&left[chosen]) {
                    chosen = k;
                }
            }
            let place = left.remove(chosen);
            list.push(best[place]);
            left.iter()
                .for_each(|&other| likeness[other] = likeness[other].max(product(row(place), row(other))));
        }
        list
    }
}

impl Candidates {
    /// The position of an item among the candidates.
    fn place(&self, item: u32) -> Option<u32> {
        match &self.items {
            None => Some(item),
            Some(items) => items.binary_search(&item).ok().map(|place| place as u32),
        }
    }

    /// The items that ranked positions stand for.
    fn items_of(&self, ranked: Vec<(u32, f32)>) -> Vec<(u32, f32)> {
        match &self.items {
            None => ranked,
            Some(items) => ranked.into_iter().map(|(place, score)| (items[place as usize], score)).collect(),
        }
    }
}

/// Checks what does not depend on the model.
fn check(request: &RecommendRequest) -> Result<(), RecommendError> {
    let given = [!request.users.is_empty(), !request.history.is_empty(), !request.vectors.is_empty()];
    if given.iter().filter(|&&given| given).count() != 1 {
        return Err(RecommendError::field(
            "users",
            "expected exactly one of `users`, `history` and `vectors`, with at least one entry",
        ));
    }
    if !(1..=LONGEST_LIST).contains(&request.n) {
        return Err(RecommendError::field("n", format!("{}, expected 1 to {LONGEST_LIST}", request.n)));
    }
    if request.offset > 1_000_000 {
        return Err(RecommendError::field("offset", format!("{}, expected at most 1000000", request.offset)));
    }
    if !(0.0..=1.0).contains(&request.diversity) {
        return Err(RecommendError::field(
            "diversity",
            format!("{}, expected a number from 0 to 1", request.diversity),
        ));
    }
    match request.history.iter().position(Vec::is_empty) {
        Some(place) if request.unknown == OnUnknown::Error => Err(RecommendError::field(
            format!("history[{place}]"),
            "an empty basket; give at least one item, or set `unknown` to \"popularity\"",
        )),
        _ => Ok(()),
    }
}

impl Asker {
    /// Marks lists that no model made.
    pub(crate) fn mark(mut self) -> Asker {
        self.list.fallback = self.rows.is_none().then_some(Fallback::Popularity);
        self
    }
}
