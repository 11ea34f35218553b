//! A trained model at work: recommendations, similar items, scores, channels.

use crate::Error;
use equipoise_data::Ids;
use equipoise_models::Ablation;
use equipoise_recommend::{Answer, RecommendRequest, ScoreWeights, ServedModel};
use equipoise_train::Run;
use std::path::Path;

/// A trained model: its final tables, the raw ids of their rows, and what each user has met.
///
/// It needs neither the data set nor the network that was trained: `score(u, i)` is the inner product of a user's row and
/// an item's. Weights of modalities that `equipoise calibrate` keeps with a run are in force. Cloning is cheap. Any number of
/// threads may ask at once.
#[derive(Clone)]
pub struct TrainedModel {
    served: ServedModel,
    unseen: bool,
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
        Ok(TrainedModel { served: ServedModel::open(run.dir())?, unseen: true })
    }

    fn under(&self, ablation: Ablation) -> Result<TrainedModel, Error> {
        Ok(TrainedModel {
            served: self.served.with_weighting(ScoreWeights::Under(ablation))?,
            unseen: self.unseen,
        })
    }

    /// Answers a request: users, baskets of strangers or vectors; filters, weights of modalities, diversity, explanations.
    ///
    /// # Errors
    /// A field that cannot be used, with its name; an id that the model does not know, unless the request says what to do.
    pub fn answer(&self, request: &RecommendRequest) -> Result<Answer, Error> {
        Ok(self.served.answer(request)?)
    }

    /// The served model beneath.
    pub fn served(&self) -> &ServedModel {
        &self.served
    }

    /// Raw ids of the users, in the order of the rows.
    pub fn users(&self) -> &Ids {
        self.served.vocabulary().users()
    }

    /// Raw ids of the items, in the order of the rows.
    pub fn items(&self) -> &Ids {
        self.served.vocabulary().items()
    }

    /// Names of the modalities.
    pub fn modalities(&self) -> &[String] {
        self.served.modalities()
    }

    /// Which modalities are silenced: none, but for [`channel`](Self::channel), [`without`](Self::without) and
    /// [`ids_only`](Self::ids_only).
    pub fn ablation(&self) -> Ablation {
        self.served.weighting().ablation()
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
        let similar = self.served.similar_items(item, n, None)?;
        let row = |id: &str| self.served.vocabulary().item(id).expect("it is one of the model's");
        Ok(self.hits(similar.into_iter().map(|other| (row(&other.id), other.score)).collect()))
    }

    /// The score of one item for one user, with the bits that it has in a list. Scores order the items of one user;
    /// between users they mean nothing.
    ///
    /// # Errors
    /// If the model does not know the user or the item.
    pub fn score(&self, user: &str, item: &str) -> Result<f32, Error> {
        Ok(self.served.score(self.user(user)?, self.item(item)?)?)
    }

    /// The channel of a modality: the model with every other modality replaced by its mean.
    ///
    /// # Errors
    /// If the model has no such modality.
    pub fn channel(&self, modality: &str) -> Result<TrainedModel, Error> {
        let m = self.modality(modality)?;
        self.under(Ablation::only(m, self.modalities().len()))
    }

    /// The model with one modality replaced by its mean.
    ///
    /// # Errors
    /// If the model has no such modality.
    pub fn without(&self, modality: &str) -> Result<TrainedModel, Error> {
        self.under(Ablation::without(self.modality(modality)?))
    }

    /// The model with every modality replaced by its mean: what is known from ids alone.
    ///
    /// # Errors
    /// If the run keeps no tables of it.
    pub fn ids_only(&self) -> Result<TrainedModel, Error> {
        self.under(Ablation::ids_only(self.modalities().len()))
    }

    /// The same model, whose lists hold what a user has met as well.
    #[must_use]
    pub fn with_seen(&self) -> TrainedModel {
        TrainedModel { unseen: false, ..self.clone() }
    }

    /// The tables behind every score, for other programs and indices.
    pub fn embeddings(&self) -> EmbeddingTables {
        let tables = self.served.embeddings();
        let (users, items, width) =
            tables.expect("what a model is weighted with was checked when it was taken");
        EmbeddingTables { users, items, width }
    }

    fn best(&self, rows: &[u32], n: usize) -> Result<Vec<Vec<Hit<'_>>>, Error> {
        let ranked = self.served.best(rows, n, self.unseen)?;
        Ok(ranked.into_iter().map(|row| self.hits(row)).collect())
    }

    fn hits(&self, ranked: Vec<(u32, f32)>) -> Vec<Hit<'_>> {
        let items = self.items();
        ranked.into_iter().map(|(item, score)| Hit { item: &items[item as usize], score }).collect()
    }

    fn user(&self, id: &str) -> Result<u32, Error> {
        Ok(self.served.user(id)?)
    }

    fn item(&self, id: &str) -> Result<u32, Error> {
        Ok(self.served.item(id)?)
    }

    fn modality(&self, name: &str) -> Result<usize, Error> {
        Ok(self.served.modality(name)?)
    }
}

impl std::fmt::Debug for TrainedModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.modalities().iter().map(String::as_str).collect();
        let under = self.ablation().label(&names);
        write!(f, "TrainedModel({} users, {} items, {under})", self.users().len(), self.items().len())
    }
}
