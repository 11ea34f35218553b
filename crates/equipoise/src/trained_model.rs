//! A trained model at work: recommendations, similar items, scores, channels.

use crate::Error;
use crate::scores::{Ranked, Scores};
use equipoise_data::Vocabulary;
use equipoise_models::Ablation;
use equipoise_train::config::keys;
use equipoise_train::{FinalTables, Run};
use std::path::Path;
use std::sync::Arc;

/// A trained model: its final tables, the raw ids of their rows, and what each user has met.
///
/// It needs neither the data set nor the network that was trained: `score(u, i)` is the inner product of a user's row and
/// an item's. Cloning is cheap. Any number of threads may ask at once.
#[derive(Clone)]
pub struct TrainedModel {
    known: Arc<Known>,
    scores: Arc<Scores>,
    ablation: Ablation,
    unseen: bool,
}

struct Known {
    vocabulary: Vocabulary,
    tables: FinalTables,
}

/// An item of a list, with its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit<'a> {
    /// Raw id of the item.
    pub item: &'a str,
    /// Score of the model, or cosine where items are compared.
    pub score: f32,
}

/// The tables of a model side by side: `score(u, i) = <users[u], items[i]>`.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddingTables {
    /// `users x width` values, row after row.
    pub users: Vec<f32>,
    /// `items x width` values, row after row.
    pub items: Vec<f32>,
    /// Values per row.
    pub width: usize,
}

impl TrainedModel {
    /// The model of a run. The data set is not needed.
    ///
    /// # Errors
    /// If the directory holds no finished run, or one that keeps no final tables: a teacher's, or an earlier version's.
    pub fn open(run: impl AsRef<Path>) -> Result<TrainedModel, Error> {
        TrainedModel::of(&Run::open(run.as_ref())?)
    }

    pub(crate) fn of(run: &Run) -> Result<TrainedModel, Error> {
        let vocabulary = run.vocabulary()?;
        let tables = run.tables(&vocabulary)?;
        let known = Arc::new(Known { vocabulary, tables });
        TrainedModel::under(&known, Ablation::FULL, true)
    }

    fn under(known: &Arc<Known>, ablation: Ablation, unseen: bool) -> Result<TrainedModel, Error> {
        let label = || ablation.label(&names(known.tables.modalities()));
        let scores = Scores::new(&known.tables, ablation).ok_or_else(|| Error::NoTables(label()))?;
        Ok(TrainedModel { known: known.clone(), scores: Arc::new(scores), ablation, unseen })
    }

    /// Raw ids of the users, in the order of the rows.
    pub fn users(&self) -> &[String] {
        self.known.vocabulary.users()
    }

    /// Raw ids of the items, in the order of the rows.
    pub fn items(&self) -> &[String] {
        self.known.vocabulary.items()
    }

    /// Names of the modalities.
    pub fn modalities(&self) -> &[String] {
        self.known.tables.modalities()
    }

    /// Which modalities are silenced: none, but for [`channel`](Self::channel), [`without`](Self::without) and
    /// [`ids_only`](Self::ids_only).
    pub fn ablation(&self) -> Ablation {
        self.ablation
    }

    /// The best `n` items for a user, best first; of equal scores the item with the lower row comes first. Items that the
    /// user has met in train or validation are left out, see [`with_seen`](Self::with_seen). The list is shorter where
    /// fewer items are left.
    ///
    /// # Errors
    /// If the model does not know the user.
    pub fn recommend(&self, user: &str, n: usize) -> Result<Vec<Hit<'_>>, Error> {
        Ok(self.recommend_to(&[user], n)?.remove(0))
    }

    /// The best `n` items for each of several users, in their order.
    ///
    /// # Errors
    /// If the model does not know one of the users.
    pub fn recommend_to<S: AsRef<str>>(&self, users: &[S], n: usize) -> Result<Vec<Vec<Hit<'_>>>, Error> {
        let rows: Vec<u32> = users.iter().map(|user| self.user(user.as_ref())).collect::<Result<_, _>>()?;
        self.best(&rows, n)
    }

    /// The best `n` items for every user, in the order of [`users`](Self::users), on all threads.
    ///
    /// # Errors
    /// If a score is not finite.
    pub fn recommend_all(&self, n: usize) -> Result<Vec<Vec<Hit<'_>>>, Error> {
        self.best(&(0..self.users().len() as u32).collect::<Vec<_>>(), n)
    }

    /// The `n` items most like one, by the cosine of the rows of items under the model.
    ///
    /// # Errors
    /// If the model does not know the item.
    pub fn similar_items(&self, item: &str, n: usize) -> Result<Vec<Hit<'_>>, Error> {
        Ok(self.hits(self.scores.nearest(self.item(item)?, n)?))
    }

    /// The score of one item for one user, with the bits that it has in a list. Scores order the items of one user;
    /// between users they mean nothing.
    ///
    /// # Errors
    /// If the model does not know the user or the item.
    pub fn score(&self, user: &str, item: &str) -> Result<f32, Error> {
        self.scores.one(self.user(user)?, self.item(item)?)
    }

    /// The channel of a modality: the model with every other modality replaced by its mean.
    ///
    /// # Errors
    /// If the model has no such modality.
    pub fn channel(&self, modality: &str) -> Result<TrainedModel, Error> {
        let m = self.modality(modality)?;
        TrainedModel::under(&self.known, Ablation::only(m, self.modalities().len()), self.unseen)
    }

    /// The model with one modality replaced by its mean.
    ///
    /// # Errors
    /// If the model has no such modality.
    pub fn without(&self, modality: &str) -> Result<TrainedModel, Error> {
        TrainedModel::under(&self.known, Ablation::without(self.modality(modality)?), self.unseen)
    }

    /// The model with every modality replaced by its mean: what is known from ids alone.
    ///
    /// # Errors
    /// If the run keeps no tables of it.
    pub fn ids_only(&self) -> Result<TrainedModel, Error> {
        TrainedModel::under(&self.known, Ablation::ids_only(self.modalities().len()), self.unseen)
    }

    /// The same model, whose lists hold what a user has met as well.
    #[must_use]
    pub fn with_seen(&self) -> TrainedModel {
        TrainedModel { unseen: false, ..self.clone() }
    }

    /// The tables behind every score, for other programs and indices.
    pub fn embeddings(&self) -> EmbeddingTables {
        let users = self.scores.users(0..self.users().len() as u32);
        EmbeddingTables { users, items: self.scores.items().to_vec(), width: self.scores.width() }
    }

    fn best(&self, rows: &[u32], n: usize) -> Result<Vec<Vec<Hit<'_>>>, Error> {
        let ranked = self.scores.best(rows, n, self.unseen)?;
        Ok(ranked.into_iter().map(|row| self.hits(row)).collect())
    }

    fn hits(&self, ranked: Ranked) -> Vec<Hit<'_>> {
        let items = self.items();
        ranked.into_iter().map(|(item, score)| Hit { item: &items[item as usize], score }).collect()
    }

    fn user(&self, id: &str) -> Result<u32, Error> {
        self.known.vocabulary.user(id).ok_or_else(|| unknown("user", id, self.users()))
    }

    fn item(&self, id: &str) -> Result<u32, Error> {
        self.known.vocabulary.item(id).ok_or_else(|| unknown("item", id, self.items()))
    }

    fn modality(&self, name: &str) -> Result<usize, Error> {
        let found = self.modalities().iter().position(|m| m == name);
        found.ok_or_else(|| unknown("modality", name, self.modalities()))
    }
}

fn names(of: &[String]) -> Vec<&str> {
    of.iter().map(String::as_str).collect()
}

/// Names the nearest id there is, or some of those that there are.
fn unknown(kind: &'static str, id: &str, known: &[String]) -> Error {
    let near = keys::closest(id, known.iter().map(String::as_str));
    let hint = match near {
        Some(near) => format!(" (did you mean `{near}`?)"),
        None => {
            let some: Vec<String> = known.iter().take(3).map(|id| format!("`{id}`")).collect();
            format!(" among {} known, such as {}", known.len(), some.join(", "))
        }
    };
    Error::Unknown { kind, id: id.to_owned(), hint }
}

impl std::fmt::Debug for TrainedModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let under = self.ablation.label(&names(self.modalities()));
        write!(f, "TrainedModel({} users, {} items, {under})", self.users().len(), self.items().len())
    }
}
