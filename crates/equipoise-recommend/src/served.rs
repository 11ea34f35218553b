//! A served model: what is opened to recommend, without the data set and on any machine.
//!
//! It is a directory, that of a run or one that `equipoise export --to serving` wrote:
//!
//! | file | what |
//! |---|---|
//! | `serving.json` | version, name, weights of the modalities, how strangers are folded in; what is not there has its default |
//! | `tables.safetensors` | the final tables under every ablation and what each user has met |
//! | `vocabulary.json` | raw ids in the order of the tables' rows |
//! | `items.jsonl` | titles, pictures and attributes of items, if any are known |
//! | `fold_in.safetensors` | the linear map of baskets to users, if one was fitted |
//! | `new_items.safetensors` | what items need that come later, see [`new_items`](crate::new_items) |
//! | `manifest.json` | of an exported model: what it is, and the hash of each of these files, see [`Manifest`] |

use crate::by_blocks::ByBlocks;
use crate::calibration::Calibration;
use crate::error::RecommendError;
pub(crate) use crate::files::{FOLD_IN, ITEMS, TABLES, VOCABULARY};
use crate::fold_in::{FoldIn, FoldInSettings, FoldInStart, LinearMap};
use crate::items::ItemInfos;
use crate::joins::Joins;
use crate::manifest::Manifest;
use crate::request::ModelName;
use crate::scorer::{JoinedItems, UserRows, all_user_rows, counted, item_rows};
use crate::settings::{SERVING, ServingSettings, read_map};
use crate::weighting::{ScoreWeights, blocks};
use equipoise_data::{Interactions, Vocabulary};
use equipoise_eval::{Embeddings, EvalConfig, Evaluation, evaluate};
use equipoise_models::Ablation;
use equipoise_train::{FinalTables, Run};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// A model that answers [requests](crate::RecommendRequest). Cloning is cheap; any number of threads may ask at once.
#[derive(Clone)]
pub struct ServedModel {
    inner: Arc<Inner>,
    weighting: ScoreWeights,
}

struct Inner {
    name: ModelName,
    vocabulary: Vocabulary,
    tables: FinalTables,
    infos: ItemInfos,
    settings: ServingSettings,
    map: Option<LinearMap>,
    joined: Joins,
    folds: ByBlocks<FoldIn>,
    popular: OnceLock<Vec<(u32, u32)>>,
}

impl ServedModel {
    /// Opens a run directory or a served model. The tables are mapped into memory.
    ///
    /// # Errors
    /// If a file is missing, damaged, of another version, or does not fit the others.
    pub fn open(dir: impl AsRef<Path>) -> Result<ServedModel, RecommendError> {
        let dir = dir.as_ref();
        ServedModel::check_place(dir)?;
        let (vocabulary, tables) = parts(dir, &dir.join(TABLES))?;
        let settings = ServingSettings::read(&dir.join(SERVING))?;
        let items = dir.join(ITEMS);
        let infos =
            if items.is_file() { ItemInfos::read(&items, &vocabulary)? } else { ItemInfos::default() };
        let map = read_map(&dir.join(FOLD_IN))?;
        ServedModel::new(name_of(dir), vocabulary, tables, infos, settings, map)
    }

    /// Refuses a directory that holds no model.
    ///
    /// # Errors
    /// If there are no tables.
    pub(crate) fn check_place(dir: &Path) -> Result<(), RecommendError> {
        if dir.join(TABLES).is_file() {
            return Ok(());
        }
        let reason = "no model that can be served (there is no tables.safetensors); give a run of `equipoise train`, \
             or a directory that `equipoise export --to serving` wrote";
        Err(RecommendError::file(dir, reason))
    }

    /// A model from its parts.
    ///
    /// # Errors
    /// If the parts do not fit each other.
    pub(crate) fn new(
        name: String,
        vocabulary: Vocabulary,
        tables: FinalTables,
        infos: ItemInfos,
        settings: ServingSettings,
        map: Option<LinearMap>,
    ) -> Result<ServedModel, RecommendError> {
        let sizes = [
            ("users", tables.n_users(), vocabulary.users().len()),
            ("items", tables.n_items(), vocabulary.items().len()),
        ];
        if let Some((side, found, expected)) =
            sizes.into_iter().find(|(_, found, expected)| found != expected)
        {
            let reason = format!(
                "tables of {found} {side}, but {VOCABULARY} names {expected}; copy both files from one run"
            );
            return Err(RecommendError::file(Path::new(TABLES), reason));
        }
        let weighting = settings.weighting(tables.modalities())?;
        let fingerprint = tables.fingerprint().to_owned();
        let name = ModelName {
            name: settings.name.clone().unwrap_or(name),
            version: settings.key(&tables),
            fingerprint,
        };
        let inner = Inner {
            name,
            vocabulary,
            tables,
            infos,
            settings,
            map,
            joined: Joins::default(),
            folds: ByBlocks::default(),
            popular: OnceLock::new(),
        };
        let model = ServedModel { inner: Arc::new(inner), weighting };
        // What cannot be scored is refused now and not at the first request.
        model.weighting.coefficients(model.tables())?;
        Ok(model)
    }

    /// Which model this is.
    pub fn name(&self) -> &ModelName {
        &self.inner.name
    }

    /// Raw ids of its users and items.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.inner.vocabulary
    }

    /// Its final tables.
    pub fn tables(&self) -> &FinalTables {
        &self.inner.tables
    }

    /// What is known of its items.
    pub fn infos(&self) -> &ItemInfos {
        &self.inner.infos
    }

    /// Its settings.
    pub fn settings(&self) -> &ServingSettings {
        &self.inner.settings
    }

    /// Names of its modalities.
    pub fn modalities(&self) -> &[String] {
        self.tables().modalities()
    }

    /// How its parts are weighted where a request says nothing.
    pub fn weighting(&self) -> &ScoreWeights {
        &self.weighting
    }

    /// The same model under another weighting.
    ///
    /// # Errors
    /// If the tables lack what it needs.
    pub fn with_weighting(&self, weighting: ScoreWeights) -> Result<ServedModel, RecommendError> {
        weighting.coefficients(self.tables())?;
        Ok(ServedModel { inner: self.inner.clone(), weighting })
    }

    /// The same model served with the weights that a calibration found.
    ///
    /// # Errors
    /// If the calibration names a modality that the model does not have, or the tables lack what the weights need.
    pub fn with_calibration(&self, found: Calibration) -> Result<ServedModel, RecommendError> {
        let weights = found.weights.clone();
        let settings = ServingSettings { weights, calibration: Some(found), ..self.settings().clone() };
        let Inner { name, vocabulary, tables, infos, map, .. } = &*self.inner;
        let name = name.name.clone();
        ServedModel::new(name, vocabulary.clone(), tables.clone(), infos.clone(), settings, map.clone())
    }

    /// The best `n` items of users of the model by their rows, without those that they have met if `unseen`; of equal scores
    /// the lower row comes first.
    ///
    /// # Errors
    /// If a score is not finite.
    ///
    /// # Panics
    /// If a row is beyond the users of the model.
    pub fn best(
        &self,
        users: &[u32],
        n: usize,
        unseen: bool,
    ) -> Result<Vec<Vec<(u32, f32)>>, RecommendError> {
        let coefficients = self.weighting.coefficients(self.tables())?;
        let blocks = counted(&coefficients);
        self.joined(&blocks)?.best_of_users(self.tables(), &coefficients, users, unseen, n)
    }

    /// The score of one item for one user, by their rows, with the bits that it has in a list.
    ///
    /// # Errors
    /// If it is not finite.
    ///
    /// # Panics
    /// If a row is beyond the tables.
    pub fn score(&self, user: u32, item: u32) -> Result<f32, RecommendError> {
        let coefficients = self.weighting.coefficients(self.tables())?;
        let blocks = counted(&coefficients);
        let one = JoinedItems::new(self.tables(), &blocks, Some(&[item]))?;
        Ok(one.best_of_users(self.tables(), &coefficients, &[user], false, 1)?[0][0].1)
    }

    /// The tables behind every score, row after row, and the values per row: `score(u, i) = <users[u], items[i]>`.
    ///
    /// # Errors
    /// If the tables lack what the weighting needs.
    pub fn embeddings(&self) -> Result<(Vec<f32>, Vec<f32>, usize), RecommendError> {
        let coefficients = self.weighting.coefficients(self.tables())?;
        let blocks = counted(&coefficients);
        let width = blocks.iter().map(|&b| self.tables().blocks()[b].width()).sum();
        let users = all_user_rows(self.tables(), &coefficients);
        Ok((users, item_rows(self.tables(), &blocks, None), width))
    }

    /// The metrics of its lists on held-out interactions; `exclude` holds what is no candidate.
    ///
    /// # Errors
    /// If the tables lack what the weighting needs, nothing is held out, or a score is not finite.
    pub fn evaluate(
        &self,
        held_out: &Interactions,
        exclude: &[&Interactions],
        config: &EvalConfig,
    ) -> Result<Evaluation, RecommendError> {
        let (mut users, mut items, mut width) = self.embeddings()?;
        if width == 0 {
            // Nothing counts: all scores are equal.
            width = 1;
            users = vec![0.0; self.tables().n_users()];
            items = vec![0.0; self.tables().n_items()];
        }
        Ok(evaluate(&Embeddings::new(&users, &items, width)?, held_out, exclude, config)?)
    }

    /// The linear map of baskets to users, if one was fitted.
    pub(crate) fn map(&self) -> Option<&LinearMap> {
        self.inner.map.as_ref()
    }

    /// Number of users who met an item in training.
    ///
    /// # Panics
    /// If the row is beyond the items of the model.
    pub fn users_of_item(&self, row: u32) -> usize {
        let counted = self.popular().iter().find(|(item, _)| *item == row);
        counted.expect("the row is one of the model").1 as usize
    }

    /// Items with their number of users in training, most first; of equal numbers the lower row comes first.
    pub(crate) fn popular(&self) -> &[(u32, u32)] {
        self.inner.popular.get_or_init(|| {
            let mut items: Vec<(u32, u32)> = (0..).zip(self.tables().train().item_counts()).collect();
            items.sort_by_key(|&(item, count)| (std::cmp::Reverse(count), item));
            items
        })
    }

    /// Joined rows of all items that hold these blocks; made when first asked for.
    pub(crate) fn joined(&self, blocks: &[usize]) -> Result<Arc<JoinedItems>, RecommendError> {
        self.inner.joined.get(self.tables(), blocks)
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

    /// The settings for strangers.
    pub(crate) fn fold_settings(&self) -> FoldInSettings {
        let chosen = self.inner.settings.fold_in.as_ref().map(|choice| choice.settings);
        chosen.unwrap_or(FoldInSettings { start: FoldInStart::Mean, lambda: Some(0.01) })
    }

    /// What folding in needs under one ablation.
    fn fold(&self, under: Ablation) -> Result<(Vec<usize>, Arc<FoldIn>), RecommendError> {
        let used = blocks(self.tables(), under)?.to_vec();
        let made = self.inner.folds.get(&used, || {
            let tables = self.tables();
            let width: usize = used.iter().map(|&b| tables.blocks()[b].width()).sum();
            // The map was fitted to the whole model's rows.
            let fits = |map: &LinearMap| under == Ablation::FULL && map.offset.len() == width;
            Ok(FoldIn::new(tables, &used, self.inner.map.clone().filter(fits)))
        })?;
        Ok((used, made))
    }

    /// The rows of a stranger with this basket in these blocks. The whole model's come first; a block that it lacks is folded in
    /// under the ablation that has it.
    pub(crate) fn stranger(
        &self,
        basket: &[(u32, f64)],
        blocks: &[usize],
    ) -> Result<UserRows, RecommendError> {
        self.folded(blocks, |fold, _| fold.row(basket, self.fold_settings()))
    }

    /// The rows of a user of the model who has met more since training, in these blocks; other blocks keep their rows.
    pub(crate) fn moved(
        &self,
        trained: &UserRows,
        history: &[(u32, f64)],
        news: &[(u32, f64)],
        blocks: &[usize],
    ) -> Result<UserRows, RecommendError> {
        let mut rows = self.folded(blocks, |fold, used| {
            let own: Vec<f32> = used.iter().flat_map(|&b| trained[b].iter().flatten().copied()).collect();
            fold.moved(&own, history, news, self.fold_settings())
        })?;
        for (row, trained) in rows.iter_mut().zip(trained) {
            *row = row.take().or_else(|| trained.clone());
        }
        Ok(rows)
    }

    /// Rows over the blocks of one view after another, until every block of `blocks` has one.
    fn folded(
        &self,
        blocks: &[usize],
        row: impl Fn(&FoldIn, &[usize]) -> Vec<f32>,
    ) -> Result<UserRows, RecommendError> {
        let mut rows = vec![None; self.tables().blocks().len()];
        let n = self.modalities().len();
        let others = (0..n).map(Ablation::without).chain((0..n).map(|m| Ablation::only(m, n)));
        for under in [Ablation::FULL].into_iter().chain(others).chain([Ablation::ids_only(n)]) {
            let missing = |rows: &UserRows, b: &usize| rows[*b].is_none();
            if !blocks.iter().any(|b| missing(&rows, b)) {
                break;
            }
            let (used, fold) = self.fold(under)?;
            if !used.iter().any(|b| missing(&rows, b)) {
                continue;
            }
            let row = row(&fold, &used);
            let mut start = 0;
            for b in used {
                let width = self.tables().blocks()[b].width();
                rows[b].get_or_insert_with(|| row[start..start + width].to_vec());
                start += width;
            }
        }
        Ok(rows)
    }
}

/// The name of a model that has none of its own: that of its directory.
pub(crate) fn name_of(dir: &Path) -> String {
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    dir.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}

/// Ids and tables: those of a run, and all files of an exported model, are held against their hashes.
fn parts(dir: &Path, tables: &Path) -> Result<(Vocabulary, FinalTables), RecommendError> {
    if let Some(manifest) = Manifest::read(dir)? {
        manifest.check(dir)?;
        return Ok((Vocabulary::read(&dir.join(VOCABULARY))?, FinalTables::read(tables)?));
    }
    if dir.join("metrics.json").is_file() {
        let run = Run::open(dir)?;
        let vocabulary = run.vocabulary()?;
        let tables = run.tables(&vocabulary)?;
        return Ok((vocabulary, tables));
    }
    Ok((Vocabulary::read(&dir.join(VOCABULARY))?, FinalTables::read(tables)?))
}

impl std::fmt::Debug for ServedModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (users, items) = (self.tables().n_users(), self.tables().n_items());
        write!(f, "ServedModel({}, {users} users, {items} items)", self.name().name)
    }
}
