//! What a backbone may read besides its parameters: sizes, the graph, frozen features and their means, categories.

use crate::Graphs;
use equipoise_data::graph::Knn;
use equipoise_data::{Categories, Dataset, Features, StopFlag};
use equipoise_nn::Rows;
use std::sync::Arc;

/// One modality as a backbone sees it.
#[derive(Clone)]
pub struct ModalityInput {
    /// Its name.
    pub name: String,
    /// Item features, `items x d_m`, frozen.
    pub features: Features,
    /// Their mean over all items, as a matrix of one row.
    pub mean: Features,
}

/// Sizes, features and graph of a data set, and the row sets that mean "everyone" and "everything".
#[derive(Clone)]
pub struct Inputs {
    /// Number of users.
    pub n_users: usize,
    /// Number of items.
    pub n_items: usize,
    /// The modalities, in the data set's order.
    pub modalities: Vec<ModalityInput>,
    /// The user-item graph of the train interactions.
    pub graphs: Graphs,
    /// Categories of the items, if the data set has them.
    pub categories: Option<Categories>,
    all_users: RowSet,
    all_items: RowSet,
    /// Ends the search for neighbours early; see [`until`](Inputs::until).
    stop: StopFlag,
}

impl Inputs {
    /// The inputs of a data set.
    pub fn new(data: &Dataset) -> Inputs {
        let modality = |m: &equipoise_data::Modality| ModalityInput {
            name: m.name.clone(),
            features: m.features.clone(),
            mean: mean_row(&m.features),
        };
        Inputs {
            n_users: data.n_users(),
            n_items: data.n_items(),
            modalities: data.modalities.iter().map(modality).collect(),
            graphs: Graphs::new(&data.train),
            categories: data.categories.clone(),
            all_users: RowSet::all(data.n_users()),
            all_items: RowSet::all(data.n_items()),
            stop: StopFlag::default(),
        }
    }

    /// The same, of which no model can be built any more once that flag is raised: the search for the nearest of many items
    /// takes long, and ends then.
    #[must_use]
    pub fn until(&self, stop: &StopFlag) -> Inputs {
        Inputs { stop: stop.clone(), ..self.clone() }
    }

    /// Whether the flag is raised.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.is_raised()
    }

    /// The same without that flag, for a model that is built: what it reads must be whole.
    pub(crate) fn whole(self) -> Inputs {
        Inputs { stop: StopFlag::default(), ..self }
    }

    /// Every user.
    pub fn all_users(&self) -> &RowSet {
        &self.all_users
    }

    /// Every item.
    pub fn all_items(&self) -> &RowSet {
        &self.all_items
    }

    /// Number of modalities.
    pub fn n_modalities(&self) -> usize {
        self.modalities.len()
    }

    /// The `k` nearest items of each item by cosine of modality `m`'s features, itself included.
    pub fn neighbours(&self, m: usize, k: usize) -> Arc<Knn> {
        let found = self.graphs.neighbours(m, k, &self.modalities[m].features, &self.stop);
        // Whatever is built of these is thrown away: see `Model::on`.
        found.unwrap_or_else(|| Arc::new(Knn::without_neighbours(self.n_items)))
    }

    /// The modalities' names.
    pub fn names(&self) -> Vec<&str> {
        self.modalities.iter().map(|m| m.name.as_str()).collect()
    }
}

fn mean_row(features: &Features) -> Features {
    let mean = features.mean();
    Features::new(1, mean.len(), mean).expect("the mean of finite rows is one finite row")
}

/// Distinct row indices of a table, ascending.
#[derive(Clone, Debug)]
pub struct RowSet {
    rows: Rows,
    all: bool,
}

impl RowSet {
    /// Rows `0..n`, the whole table.
    pub fn all(n: usize) -> RowSet {
        RowSet { rows: (0..n as u32).collect(), all: true }
    }

    /// The distinct rows among `rows`, ascending.
    pub fn distinct(mut rows: Vec<u32>) -> RowSet {
        rows.sort_unstable();
        rows.dedup();
        RowSet { rows: rows.into(), all: false }
    }

    /// The row indices.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Whether this is the whole table.
    pub fn is_all(&self) -> bool {
        self.all
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Where `row` stands in this set.
    pub fn position(&self, row: u32) -> Option<u32> {
        if self.all {
            return ((row as usize) < self.rows.len()).then_some(row);
        }
        self.rows.binary_search(&row).ok().map(|p| p as u32)
    }
}
