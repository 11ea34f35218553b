//! A trained model at work: recommendations, similar items, scores, channels.

use crate::Error;
use crate::table_names::TableNames;
use equipoise_data::formats::{write_npy, write_row_ids};
use equipoise_data::{DataError, FeatureSource, Features, Ids};
use equipoise_models::Ablation;
use equipoise_recommend::{
    AddItems, Answer, ExplainRequest, Explanation, ExportOptions, MANIFEST, NewItem, RecommendError,
    RecommendRequest, ScoreWeights, ServedModel, TARGETS, add_items, export,
};
use equipoise_train::Run;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A trained model: its final tables, the raw ids of their rows, and what each user has met.
///
/// It needs neither the data set nor the network that was trained: `score(u, i)` is the inner product of a user's row and
/// an item's. Weights of modalities that `equipoise calibrate` keeps with a run are in force. Cloning is cheap. Any number of
/// threads may ask at once.
#[derive(Clone)]
pub struct TrainedModel {
    served: ServedModel,
    unseen: bool,
    /// The run or the served model that it was opened from.
    dir: PathBuf,
    /// Hold the files of what was given no directory.
    places: Vec<Arc<TempDir>>,
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
    /// The model of a run, or one that was [saved](Self::save) or exported. The data set is not needed.
    ///
    /// # Errors
    /// If the directory holds no finished run, or one that keeps no final tables: a teacher's, or an earlier version's.
    pub fn open(dir: impl AsRef<Path>) -> Result<TrainedModel, Error> {
        let dir = dir.as_ref();
        if dir.join(MANIFEST).is_file() {
            TrainedModel::in_dir(dir)
        } else {
            TrainedModel::of(&Run::open(dir)?)
        }
    }

    pub(crate) fn of(run: &Run) -> Result<TrainedModel, Error> {
        TrainedModel::in_dir(run.dir())
    }

    fn in_dir(dir: &Path) -> Result<TrainedModel, Error> {
        let served = ServedModel::open(dir)?;
        Ok(TrainedModel { served, unseen: true, dir: dir.to_owned(), places: Vec::new() })
    }

    /// The same, which holds a directory that is removed with it.
    pub(crate) fn keeping(mut self, place: Arc<TempDir>) -> TrainedModel {
        self.places.push(place);
        self
    }

    fn under(&self, ablation: Ablation) -> Result<TrainedModel, Error> {
        let served = self.served.with_weighting(ScoreWeights::Under(ablation))?;
        Ok(TrainedModel { served, ..self.clone() })
    }

    /// Writes the model to a directory, whole or not at all: tables, ids, weights, what is known of items, and what new items
    /// need. [`open`](Self::open) reads it on any machine, without the run and the data set.
    ///
    /// # Errors
    /// If something lies there that is not a saved model, or is one and `overwrite` is false; if modalities are silenced: the
    /// whole model is saved; file system faults.
    pub fn save(&self, dir: impl AsRef<Path>, overwrite: bool) -> Result<(), Error> {
        self.check_whole("saved")?;
        let serving =
            TARGETS.iter().find(|target| target.name == "serving").expect("a target of every build");
        export(&self.dir, serving, dir.as_ref(), &ExportOptions { overwrite, ..ExportOptions::default() })?;
        Ok(())
    }

    /// The same model with more items, which nobody has met, by their features alone: see the module
    /// [`new_items`](equipoise_recommend::prepare_new_items) for how their rows are made. `features` holds for each modality the
    /// rows of these items in their order. The second value says what was missing or passed over, a sentence each.
    ///
    /// # Errors
    /// If the model reads no features, an item is known or named twice, or features do not fit those of the training.
    pub fn with_items(
        &self,
        items: Vec<NewItem>,
        features: &[(String, Features)],
    ) -> Result<(TrainedModel, Vec<String>), Error> {
        self.check_whole("given items")?;
        let place = tempfile::tempdir().map_err(|e| Error::System(format!("no temporary directory: {e}")))?;
        let ids: Ids = items.iter().map(|item| item.id.as_str()).collect();
        let mut sources = Vec::with_capacity(features.len());
        let mut names = TableNames::new(place.path());
        for (place_of, (name, rows)) in features.iter().enumerate() {
            if rows.rows() != ids.len() {
                let problem =
                    format!("{name}: {} rows for {} items; give each item one", rows.rows(), ids.len());
                let at = DataError::Entry { file: "tables".into(), place: "features".into(), problem };
                return Err(at.into());
            }
            let path = place.path().join(format!("new{place_of}_feat.npy"));
            names.file(&path, name);
            write_npy(&path, rows)?;
            write_row_ids(&path, &ids)?;
            sources.push(FeatureSource { name: name.clone(), path });
        }
        let out = place.path().join("model");
        let model = self.dir.clone();
        let order = AddItems { model, items, features: sources, out: out.clone(), overwrite: false };
        let report = add_items(&order).map_err(|fault| names.fault(fault))?;
        let grown = TrainedModel::in_dir(&out)?.keeping(Arc::new(place));
        let notes = report.notes.iter().map(|note| names.said(note)).collect();
        Ok((TrainedModel { unseen: self.unseen, ..grown }, notes))
    }

    /// Why an item is in a list: the parts of its score, what of the history it is like, its score without each modality.
    ///
    /// # Errors
    /// A field that cannot be used, with its name; an id that the model does not know.
    pub fn explain(&self, request: &ExplainRequest) -> Result<Explanation, Error> {
        Ok(self.served.explain_to(request, &())?)
    }

    /// Files hold the whole model.
    fn check_whole(&self, what: &str) -> Result<(), Error> {
        match self.served.weighting() {
            ScoreWeights::Under(ablation) if *ablation != Ablation::FULL => {
                let problem = format!("a channel cannot be {what}, only the whole model");
                Err(RecommendError::Field { field: "model".into(), problem }.into())
            }
            ScoreWeights::Under(_) | ScoreWeights::Weights(_) => Ok(()),
        }
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
