//! From requests to their answers.
//!
//! Several requests are answered together: what each needs is prepared, the rows that rank the same item table are ranked at
//! once, and each gets its own answer. The bits of a score depend on its two rows alone, so that a request has the same answer in
//! any company.

use crate::askers::{Asker, Reception};
use crate::candidates::Candidates;
use crate::error::RecommendError;
use crate::explain::Explainer;
use crate::feedback::Feedback;
use crate::request::{Answer, LONGEST_LIST, ListItem, RecommendRequest};
use crate::scorer::{Ranked, counted, directions, item_rows, product};
use crate::served::ServedModel;
use crate::unknown::unknown;
use crate::weighting::ScoreWeights;
use equipoise_eval::EvalError;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// How many candidates a diverse list is chosen from, for each of its places.
const POOL: usize = 5;
/// Requests for at most so many items are ranked together, whatever their lengths.
const SHORT: usize = 128;

/// What a request needs to be ranked.
struct Prepared<'a> {
    request: &'a RecommendRequest,
    weighting: ScoreWeights,
    coefficients: Vec<(usize, f32)>,
    askers: Vec<Asker>,
    candidates: Candidates,
    /// Items that are ranked for each.
    k: usize,
}

impl ServedModel {
    /// Answers a request.
    ///
    /// # Errors
    /// A field that cannot be used, with its name; an id that the model does not know, unless the request says what to do.
    pub fn answer(&self, request: &RecommendRequest) -> Result<Answer, RecommendError> {
        self.answer_all(&[request], &()).pop().expect("one answer for each request")
    }

    /// Answers several requests together, each as [`answer`](Self::answer) would, with what users have met since training.
    pub fn answer_all(
        &self,
        requests: &[&RecommendRequest],
        feedback: &dyn Feedback,
    ) -> Vec<Result<Answer, RecommendError>> {
        let start = Instant::now();
        let prepared: Vec<Result<Prepared, RecommendError>> = match requests {
            [one] => vec![Prepared::new(self, one, feedback)],
            _ => requests.par_iter().map(|request| Prepared::new(self, request, feedback)).collect(),
        };
        let usable: Vec<&Prepared> = prepared.iter().flatten().collect();
        let mut lists = ranked(&usable).into_iter();
        let together = prepared.into_iter().map(|prepared| {
            let prepared = prepared?;
            let lists = lists.next().expect("lists for each that was prepared")?;
            Ok((prepared, lists))
        });
        let together: Vec<Result<(Prepared, Vec<Ranked>), RecommendError>> = together.collect();
        let answer = |one: Result<(Prepared, Vec<Ranked>), RecommendError>| {
            let (prepared, lists) = one?;
            let lists = prepared.finish(self, lists)?;
            Ok(Answer { lists, model: self.name().clone(), took_ms: start.elapsed().as_secs_f64() * 1e3 })
        };
        match together.len() {
            1 => together.into_iter().map(answer).collect(),
            _ => together.into_par_iter().map(answer).collect(),
        }
    }

    /// The same model with the weights that a request asks for.
    ///
    /// # Errors
    /// A modality that the model lacks, a weight that is none.
    pub fn weighted(&self, request: &RecommendRequest) -> Result<ServedModel, RecommendError> {
        self.with_weighting(self.weighting_with(&request.modality_weights)?)
    }

    /// The model's own weighting with other weights of some modalities.
    pub(crate) fn weighting_with(
        &self,
        named: &BTreeMap<String, f64>,
    ) -> Result<ScoreWeights, RecommendError> {
        if named.is_empty() {
            return Ok(self.weighting().clone());
        }
        let mut weights = match self.weighting() {
            ScoreWeights::Weights(weights) => weights.clone(),
            ScoreWeights::Under(_) => vec![1.0; self.modalities().len()],
        };
        for (name, &weight) in named {
            let m = self.modality(name).map_err(|e| e.at(format!("modality_weights.{name:.100}")))?;
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
        found.ok_or_else(|| unknown("modality", name, self.modalities().iter().map(String::as_str)))
    }

    /// The row of an item by its raw id.
    ///
    /// # Errors
    /// If the model does not know it; the message names a near one.
    pub fn item(&self, id: &str) -> Result<u32, RecommendError> {
        self.vocabulary().item(id).ok_or_else(|| unknown("item", id, self.vocabulary().items().iter()))
    }

    /// The row of a user by its raw id.
    ///
    /// # Errors
    /// If the model does not know it; the message names a near one.
    pub fn user(&self, id: &str) -> Result<u32, RecommendError> {
        self.vocabulary().user(id).ok_or_else(|| unknown("user", id, self.vocabulary().users().iter()))
    }

    fn named(&self, ranked: &[(u32, f32)]) -> Vec<ListItem> {
        let name = |&(row, score): &(u32, f32)| ListItem {
            id: self.vocabulary().items()[row as usize].to_owned(),
            title: self.infos().title(row),
            score,
            ..ListItem::default()
        };
        ranked.iter().map(name).collect()
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

impl<'a> Prepared<'a> {
    fn new(
        model: &ServedModel,
        request: &'a RecommendRequest,
        feedback: &dyn Feedback,
    ) -> Result<Prepared<'a>, RecommendError> {
        check(request)?;
        let weighting = model.weighting_with(&request.modality_weights)?;
        let coefficients = weighting.coefficients(model.tables())?;
        let mut blocks = counted(&coefficients);
        if request.explain {
            blocks.extend(Explainer::new(model, &weighting)?.blocks());
        }
        let reception = Reception { model, blocks: &blocks, unknown: request.unknown, feedback };
        let askers = reception.all(request)?;
        let candidates = Candidates::new(model, request, &coefficients)?;
        let pool = if request.diversity > 0.0 { request.n * POOL } else { request.n };
        Ok(Prepared { request, weighting, coefficients, askers, candidates, k: request.offset + pool })
    }

    /// Requests with equal values are ranked at once.
    fn shape(&self) -> (usize, usize) {
        (Arc::as_ptr(&self.candidates.joined).addr(), self.k.max(SHORT).next_power_of_two())
    }

    /// Adds the rows of those whom the model knows, and what is left out for each; how many they are.
    fn add_to(&self, rows: &mut Vec<f32>, pairs: &mut Vec<(u32, u32)>, first: u32) -> u32 {
        let mut known = first;
        for asker in &self.askers {
            let Some(own) = &asker.rows else { continue };
            self.candidates.joined.weighted(own, &self.coefficients, rows);
            let met = asker.history.iter().map(|&(item, _)| item).filter(|_| self.request.exclude_seen);
            let left_out = met.chain(self.candidates.excluded.iter().copied());
            pairs.extend(left_out.filter_map(|item| self.candidates.place(item)).map(|place| (known, place)));
            known += 1;
        }
        known - first
    }

    /// The lists of a request that is ranked alone.
    fn alone(&self) -> Result<Vec<Ranked>, RecommendError> {
        let (mut rows, mut pairs) = (Vec::new(), Vec::new());
        match self.add_to(&mut rows, &mut pairs, 0) {
            0 => Ok(Vec::new()),
            _ => self.candidates.joined.best(&rows, &pairs, self.k).map_err(|error| self.told(error)),
        }
    }

    /// Vectors are input: scores of theirs that are not finite are no fault of the model.
    fn told(&self, error: RecommendError) -> RecommendError {
        match &error {
            RecommendError::Eval(EvalError::NonFiniteScore { .. }) if !self.request.vectors.is_empty() => {
                RecommendError::field("vectors", "values so large that scores are not finite")
            }
            _ => error,
        }
    }

    /// The lists of everyone, of what was ranked for those whom the model knows.
    fn finish(self, model: &ServedModel, ranked: Vec<Ranked>) -> Result<Vec<crate::List>, RecommendError> {
        let explainer = self.request.explain.then(|| Explainer::new(model, &self.weighting)).transpose()?;
        let mut ranked = ranked.into_iter();
        let mut best = Vec::with_capacity(self.askers.len());
        for asker in &self.askers {
            let list = match &asker.rows {
                Some(_) => self.candidates.items_of(ranked.next().expect("one list for each row")),
                None => self.most_popular(model, asker),
            };
            best.push(self.cut(model, list));
        }
        let mut lists = Vec::with_capacity(best.len());
        for (mut asker, best) in self.askers.into_iter().zip(best) {
            let mut items = model.named(&best);
            if let (Some(explainer), Some(rows)) = (&explainer, &asker.rows) {
                let liked = asker.liked();
                for (item, &(row, _)) in items.iter_mut().zip(&best) {
                    item.parts = explainer.parts(rows, row);
                    item.because = explainer.because(&liked, row);
                }
            }
            asker.list.items = items;
            lists.push(asker.into_list());
        }
        Ok(lists)
    }

    fn most_popular(&self, model: &ServedModel, asker: &Asker) -> Ranked {
        let met = |item: &u32| {
            self.request.exclude_seen && asker.history.binary_search_by_key(item, |&(item, _)| item).is_ok()
        };
        let mut excluded = self.candidates.excluded.clone();
        excluded.sort_unstable();
        let allowed = |item: &u32| {
            self.candidates.place(*item).is_some() && excluded.binary_search(item).is_err() && !met(item)
        };
        let items = model.popular().iter().filter(|(item, _)| allowed(item));
        items.take(self.k).map(|&(item, count)| (item, count as f32)).collect()
    }

    /// What of the best is the list: behind the offset, as many as were asked for, chosen for diversity if that was asked for.
    fn cut(&self, model: &ServedModel, best: Ranked) -> Ranked {
        let (request, k) = (self.request, self.k);
        let rest: Ranked = best.into_iter().take(k).skip(request.offset).collect();
        if request.diversity > 0.0 {
            return model.diverse(rest, request.n, request.diversity);
        }
        rest.into_iter().take(request.n).collect()
    }
}

/// Ranks requests, those of one shape together.
fn ranked(all: &[&Prepared]) -> Vec<Result<Vec<Ranked>, RecommendError>> {
    let mut groups: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (place, prepared) in all.iter().enumerate() {
        groups.entry(prepared.shape()).or_default().push(place);
    }
    let mut lists: Vec<Option<Result<Vec<Ranked>, RecommendError>>> = all.iter().map(|_| None).collect();
    for group in groups.into_values() {
        let members: Vec<&Prepared> = group.iter().map(|&place| all[place]).collect();
        for (place, found) in group.into_iter().zip(together(&members)) {
            lists[place] = Some(found);
        }
    }
    lists.into_iter().map(|found| found.expect("each request is in one group")).collect()
}

/// Ranks requests of one shape at once; if that fails, each alone, so that the fault of one stays with it.
fn together(group: &[&Prepared]) -> Vec<Result<Vec<Ranked>, RecommendError>> {
    let alone = || group.iter().map(|prepared| prepared.alone()).collect();
    let [first, _, ..] = group else { return alone() };
    let (mut rows, mut pairs, mut known) = (Vec::new(), Vec::new(), 0);
    let mut counts = Vec::with_capacity(group.len());
    for prepared in group {
        let count = prepared.add_to(&mut rows, &mut pairs, known);
        known += count;
        counts.push(count as usize);
    }
    if known == 0 {
        return alone();
    }
    let k = group.iter().map(|prepared| prepared.k).max().unwrap_or(0);
    let Ok(lists) = first.candidates.joined.best(&rows, &pairs, k) else { return alone() };
    let mut lists = lists.into_iter();
    counts.into_iter().map(|count| Ok(lists.by_ref().take(count).collect())).collect()
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
    Ok(())
}
