//! Projections of item features that may themselves be trained.

use crate::parts::{Build, Content};
use crate::{Pass, pass};
use burn::tensor::Tensor;

/// `E^m W_m^T + b_m`, where `E^m` is given or the parameter `features.<m>` of `I x d_m`, in the group of `m`,
/// which starts from the given features. A silenced modality is the mean row of `E^m` as it is now; gradients
/// flow through it. Trained features cost three more tables of their size: gradient and both moments.
pub struct Projection {
    content: Content,
    /// Name of the trained features.
    features: Option<String>,
}

impl Projection {
    /// Registers `weight.<m>`, `bias.<m>` and, where requested, `features.<m>`.
    pub fn new(b: &mut Build, m: usize, train_features: bool) -> Projection {
        let content = b.projection(m);
        let modality = &b.inputs.modalities[m];
        let features = train_features.then(|| format!("features.{}", modality.name));
        if let Some(name) = &features {
            let given = &modality.features;
            b.parameters.add(name, b.group(m), [given.rows(), given.width()], given.values().to_vec());
        }
        Projection { content, features }
    }

    /// Position of the modality.
    pub fn m(&self) -> usize {
        self.content.m
    }

    /// Projections of the pass's items, or that of the mean in every row when silenced.
    pub fn projected(&self, pass: &Pass) -> Tensor<2> {
        match &self.features {
            None => self.content.projected(pass),
            Some(_) if pass.ablation().silences(self.m()) => {
                pass::repeat(self.projected_mean(pass), pass.item_rows().len())
            }
            Some(features) => self.content.project(pass, pass.items(features)),
        }
    }

    /// The projection of the mean features, one row.
    pub fn projected_mean(&self, pass: &Pass) -> Tensor<2> {
        match &self.features {
            None => self.content.projected_mean(pass),
            Some(features) => self.content.project(pass, pass.table(features).mean_dim(0)),
        }
    }
}
