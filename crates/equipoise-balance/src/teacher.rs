//! A frozen uni-modal teacher: the tables of its trained model under `only(m)`, computed once.

use equipoise_data::Triples;
use equipoise_kernels::margins::margins;
use equipoise_models::{Ablation, Model};

/// The final tables of one teacher, of which only margins are ever read (Eq. 8).
#[derive(Clone, Debug)]
pub struct Teacher {
    /// The modality it was trained with, or `ids`.
    pub modality: String,
    users: Vec<f32>,
    items: Vec<f32>,
    width: usize,
}

impl Teacher {
    /// A teacher from tables: `users` of `U x width`, `items` of `I x width`, row-major.
    pub fn new(modality: &str, users: Vec<f32>, items: Vec<f32>, width: usize) -> Teacher {
        Teacher { modality: modality.to_owned(), users, items, width }
    }

    /// The tables of a trained model with every modality but `m` silenced, in inference mode.
    pub fn of(model: &Model, m: usize) -> Teacher {
        let ablation = Ablation::only(m, model.inputs.n_modalities());
        Teacher::under(model, ablation, &model.inputs.modalities[m].name)
    }

    /// The tables of a trained model under an ablation, in inference mode, by the name of what they teach.
    pub fn under(model: &Model, ablation: Ablation, name: &str) -> Teacher {
        let (users, items, width) = model.encode_all(&[ablation]).tables(ablation);
        Teacher::new(name, users, items, width)
    }

    /// Columns of its tables.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Its tables of users and of items, row-major.
    pub fn tables(&self) -> (&[f32], &[f32]) {
        (&self.users, &self.items)
    }

    /// Margins `Delta t^m(u, i, j)` of the triples.
    pub fn margins(&self, triples: &Triples) -> Vec<f32> {
        let mut out = vec![0.0; triples.len()];
        margins(&self.users, &self.items, self.width, triples.view(), &mut out);
        out
    }
}
