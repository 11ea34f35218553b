//! Makes the maps of a run while its data set is there.

use super::file::{read, write};
use super::judge::Judge;
use super::maps::{BlockMap, BlockMapKind, ModalityInput, NewItemMaps, NewItemsReport};
use super::projections::{Candidate, mean_row};
use super::ridge::{Design, Fitted};
use crate::block_names::block_names;
use crate::error::RecommendError;
use crate::files::{NEW_ITEMS, TABLES};
use crate::manifest::{Manifest, hash};
use crate::served::ServedModel;
use crate::weighting::blocks;
use equipoise_data::{Dataset, FeatureScale, Features, MeanRow, MissingFill, Modality};
use equipoise_jobs::Place;
use equipoise_models::Ablation;
use equipoise_train::{DataConfig, FinalTables, Run, StoredParameters};
use std::collections::BTreeMap;
use std::path::Path;

/// Penalties that are tried, in units of the mean variance of a column.
const PENALTIES: [f64; 6] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0];
/// The one that is taken where the whole model has no ridge map.
const USUAL: f64 = 0.1;

/// Maps of a model, or why there are none.
pub(crate) enum Found {
    /// The maps.
    Maps(Box<NewItemMaps>),
    /// In a sentence without its full stop.
    Missing(String),
}

/// What [`prepare_new_items`] did.
#[derive(Clone, Debug, PartialEq)]
pub enum NewItemsMade {
    /// The maps are kept with the model.
    Kept(NewItemsReport),
    /// There are none, for this reason.
    Missing(String),
}

/// Makes what a model needs to take new items, and keeps it in `new_items.safetensors` of the run. A served model has it or has not.
///
/// # Errors
/// If the directory holds no model, or another program writes it; file system faults.
pub fn prepare_new_items(dir: &Path) -> Result<NewItemsMade, RecommendError> {
    let model = ServedModel::open(dir)?;
    let maps = match maps_of(dir, &model)? {
        Found::Maps(maps) => maps,
        Found::Missing(reason) => return Ok(NewItemsMade::Missing(reason)),
    };
    if Manifest::read(dir)?.is_none() {
        let _place = Place::claim(dir)?;
        let tables = hash(&dir.join(TABLES))?.unwrap_or_default();
        write(&dir.join(NEW_ITEMS), &maps, &tables)?;
    }
    Ok(NewItemsMade::Kept(maps.report))
}

/// The maps of the model in a directory: those that are kept there, or those that the data set of the run gives.
///
/// # Errors
/// If the file is damaged or of other tables, or the run cannot be read.
pub(crate) fn maps_of(dir: &Path, model: &ServedModel) -> Result<Found, RecommendError> {
    let path = dir.join(NEW_ITEMS);
    let is_run = Manifest::read(dir)?.is_none() && dir.join("metrics.json").is_file();
    if let Some((maps, tables)) = read(&path)? {
        let of_these = !dir.join(TABLES).is_file() || hash(&dir.join(TABLES))?.as_ref() == Some(&tables);
        if of_these {
            return fits(&path, maps, model.tables());
        }
        if !is_run {
            let reason = format!("made for other tables than {TABLES}; copy both files from one model");
            return Err(RecommendError::file(&path, reason));
        }
    }
    if !is_run {
        return Ok(Found::Missing(format!(
            "the model has no {NEW_ITEMS}: export it again from its run where the data set is"
        )));
    }
    of_run(dir, model.tables())
}

/// Maps from a file must have the shapes of the tables.
fn fits(path: &Path, maps: NewItemMaps, tables: &FinalTables) -> Result<Found, RecommendError> {
    let names: Vec<&String> = maps.modalities.iter().map(|m| &m.name).collect();
    let widths = maps.blocks.iter().map(|map| map.offset.len());
    let same = names.iter().copied().eq(tables.modalities())
        && widths.eq(tables.blocks().iter().map(equipoise_train::tables::FinalBlock::width));
    if same {
        Ok(Found::Maps(Box::new(maps)))
    } else {
        Err(RecommendError::file(path, "maps of another model; copy all files from one model"))
    }
}

fn of_run(dir: &Path, tables: &FinalTables) -> Result<Found, RecommendError> {
    let run = Run::open(dir)?;
    let source = run.config()?.into_inner().data;
    let missing = |reason: String| Ok(Found::Missing(reason));
    if !source.path.exists() {
        return missing(format!("the data set {} of the run is not there", source.path.display()));
    }
    let plain = DataConfig { scale: FeatureScale::None, ..source.clone() };
    let raw = match plain.load() {
        Ok(loaded) => loaded.data,
        Err(error) => return missing(format!("the data set of the run cannot be read: {error}")),
    };
    let scaled = raw.clone().scaled(source.scale);
    if scaled.fingerprint() != tables.fingerprint() {
        return missing(format!(
            "{} is not the data that the run was trained on any more",
            source.path.display()
        ));
    }
    let modalities = raw.modalities.iter().map(|m| input(m, &source)).collect();
    let parameters = run.parameters()?;
    let fit = Fit::new(tables, &scaled, &parameters);
    Ok(Found::Maps(Box::new(fit.maps(modalities)?)))
}

/// What is kept of a modality, from its features before they were scaled.
fn input(modality: &Modality, source: &DataConfig) -> ModalityInput {
    let features = &modality.features;
    let fill = match source.missing {
        MissingFill::Zero => vec![0.0; features.width()],
        // A new item shares no users with another: its neighbours are all items that have the modality.
        MissingFill::Mean | MissingFill::Neighbours => {
            let mut mean = MeanRow::new(features.width());
            let present =
                |&item: &u32| !modality.missing.as_ref().is_some_and(|missing| missing.contains(item));
            let rows = (0..features.rows() as u32).filter(present);
            rows.for_each(|item| mean.add(&features.row(item as usize)));
            mean.mean().unwrap_or_else(|| vec![0.0; features.width()])
        }
    };
    let encoder = source.path.join(format!("{}_encoder.json", modality.name));
    let encoder = std::fs::read(encoder).ok().and_then(|text| {
        let report: serde_json::Value = serde_json::from_slice(&text).ok()?;
        Some(report.get("model")?.as_str()?.to_owned())
    });
    let scale = source.scale.frozen(features);
    ModalityInput { name: modality.name.clone(), scale, missing: source.missing, fill, encoder }
}

/// What maps are made from.
struct Fit<'a> {
    tables: &'a FinalTables,
    data: &'a Dataset,
    parameters: &'a StoredParameters,
    /// Items that somebody took in training, ascending.
    taken: Vec<u32>,
    /// Paths of categories, and the place of each item's among them.
    categories: BTreeMap<Vec<String>, usize>,
    category_of: Option<Vec<Option<usize>>>,
}

/// Items that a regression is fitted to, and those that it is judged by.
struct Sides {
    judge: Judge,
    /// Places of the others among the items that somebody took.
    others: Vec<usize>,
}

impl<'a> Fit<'a> {
    fn new(tables: &'a FinalTables, data: &'a Dataset, parameters: &'a StoredParameters) -> Fit<'a> {
        let counts = tables.train().item_counts();
        let taken = (0..).zip(counts).filter(|(_, count)| *count > 0).map(|(item, _)| item).collect();
        let paths = data.categories.as_ref().map(equipoise_data::Categories::paths);
        let mut categories: BTreeMap<Vec<String>, usize> =
            paths.into_iter().flatten().map(|path| (path.clone(), 0)).collect();
        categories.values_mut().zip(0..).for_each(|(place, k)| *place = k);
        let category_of = paths.map(|paths| paths.iter().map(|path| categories.get(path).copied()).collect());
        Fit { tables, data, parameters, taken, categories, category_of }
    }

    fn maps(&self, modalities: Vec<ModalityInput>) -> Result<NewItemMaps, RecommendError> {
        let mut found: Vec<Option<BlockMap>> =
            (0..self.tables.blocks().len()).map(|b| self.exact(b)).collect();
        let judge = Judge::new(self.tables.train(), &self.taken);
        let others =
            (0..self.taken.len()).filter(|&k| judge.items.binary_search(&self.taken[k]).is_err()).collect();
        let sides = Sides { judge, others };
        let full = blocks(self.tables, Ablation::FULL)?.to_vec();
        let ridge = found.iter().any(Option::is_none);
        let (penalty, recall) = self.chosen(&found, &full, &sides)?;
        let all: Vec<usize> = (0..self.taken.len()).collect();
        let open: Vec<usize> = (0..found.len()).filter(|&b| found[b].is_none()).collect();
        for (b, fitted) in self.ridge(&open, &all, &[penalty]) {
            found[b] = Some(self.of_fitted(b, &fitted[0]));
        }
        let maps: Vec<BlockMap> = found.into_iter().map(|map| map.expect("every block has a map")).collect();
        let trained: Vec<Vec<f32>> = full.iter().map(|&b| self.trained_rows(b, &sides.judge.items)).collect();
        let report = NewItemsReport {
            blocks: block_names(self.tables).into_iter().zip(maps.iter().map(|map| map.kind)).collect(),
            penalty: ridge.then_some(penalty),
            items: sides.judge.items.len(),
            users: sides.judge.users(),
            recall,
            trained_recall: sides.judge.recall(self.tables, &full, &trained)?,
        };
        Ok(NewItemMaps { modalities, blocks: maps, categories: self.categories.clone(), report })
    }

    /// The modalities that are audible in every view that counts a block.
    fn inputs(&self, b: usize) -> Vec<usize> {
        let views = || self.tables.views().iter().filter(|view| view.blocks.contains(&b));
        (0..self.data.modalities.len()).filter(|&m| views().all(|view| !view.ablation.silences(m))).collect()
    }

    /// The map of a block that needs no regression.
    fn exact(&self, b: usize) -> Option<BlockMap> {
        let block = &self.tables.blocks()[b];
        let (items, width) = (block.items(), block.width());
        match self.inputs(b)[..] {
            [] => Some(BlockMap::constant(mean_row(items, width, &self.taken))),
            [m] => {
                let modality = &self.data.modalities[m];
                let candidate = Candidate {
                    m,
                    name: &modality.name,
                    features: &modality.features,
                    parameters: self.parameters,
                    categories: self.category_of.as_deref(),
                    taken: &self.taken,
                };
                candidate.map(items, width)
            }
            _ => None,
        }
    }

    /// The penalty with the best recall of the whole model on items that the maps were not fitted to, and that recall.
    fn chosen(
        &self,
        exact: &[Option<BlockMap>],
        full: &[usize],
        sides: &Sides,
    ) -> Result<(f64, f64), RecommendError> {
        let open: Vec<usize> = full.iter().copied().filter(|&b| exact[b].is_none()).collect();
        let fitted: BTreeMap<usize, Vec<Fitted>> =
            self.ridge(&open, &sides.others, &PENALTIES).into_iter().collect();
        let tried = if open.is_empty() { 1 } else { PENALTIES.len() };
        let mut best: Option<(f64, f64)> = None;
        for k in 0..tried {
            let map = |&b: &usize| match &exact[b] {
                Some(map) => map.clone(),
                None => self.of_fitted(b, &fitted[&b][k]),
            };
            let maps: Vec<BlockMap> = full.iter().map(map).collect();
            let rows: Vec<Vec<f32>> =
                maps.iter().map(|map| self.mapped_rows(map, &sides.judge.items)).collect();
            let recall = sides.judge.recall(self.tables, full, &rows)?;
            if best.is_none_or(|(_, least)| recall > least) {
                best = Some((if open.is_empty() { USUAL } else { PENALTIES[k] }, recall));
            }
        }
        Ok(best.expect("one was tried"))
    }

    /// Ridge maps of these blocks, fitted to the taken items at these places.
    fn ridge(&self, open: &[usize], places: &[usize], penalties: &[f64]) -> Vec<(usize, Vec<Fitted>)> {
        let mut by_inputs: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
        open.iter().for_each(|&b| by_inputs.entry(self.inputs(b)).or_default().push(b));
        let mut found = Vec::new();
        for (inputs, blocks) in by_inputs {
            let features: Vec<&Features> =
                inputs.iter().map(|&m| &self.data.modalities[m].features).collect();
            let design = Design::new(&features, &self.taken);
            for b in blocks {
                let width = self.tables.blocks()[b].width();
                let targets = self.trained_rows(b, &self.taken);
                let fitted = design.fit(places, &targets, width, penalties);
                let mean = || Fitted {
                    matrix: vec![0.0; width * features.iter().map(|f| f.width()).sum::<usize>()],
                    offset: mean_row(&targets, width, &[]),
                };
                found.push((b, fitted.unwrap_or_else(|| vec![mean(); penalties.len()])));
            }
        }
        found
    }

    fn of_fitted(&self, b: usize, fitted: &Fitted) -> BlockMap {
        BlockMap {
            kind: BlockMapKind::Ridge,
            inputs: self.inputs(b),
            matrix: fitted.matrix.clone(),
            offset: fitted.offset.clone(),
            by_category: Vec::new(),
        }
    }

    /// The rows that training gave items in a block.
    fn trained_rows(&self, b: usize, items: &[u32]) -> Vec<f32> {
        let block = &self.tables.blocks()[b];
        let row = |&item: &u32| &block.items()[item as usize * block.width()..][..block.width()];
        items.iter().flat_map(row).copied().collect()
    }

    /// The rows that a map makes of the features of items.
    fn mapped_rows(&self, map: &BlockMap, items: &[u32]) -> Vec<f32> {
        let row = |&item: &u32| {
            let own = |m: &Modality| m.features.row(item as usize).into_owned();
            let scaled: Vec<Vec<f32>> = self.data.modalities.iter().map(own).collect();
            let category = self.category_of.as_ref().and_then(|of| of[item as usize]);
            map.row(&scaled, category)
        };
        items.iter().flat_map(row).collect()
    }
}
