//! Projections of item features that may themselves be trained.

use crate::parts::{Build, Content};
use crate::{Pass, pass};
use burn::tensor::Tensor;

/// `E^m W_m^T + b_m`, where `E^m` is given or the parameter `features.<m>` of `I x d_m`, in the group of `m`,
/// which starts from the given features. A silenced modality is the mean row of `E^m` as it is now; gradients
/// flow through it. Trained features cost three more tables of their size: gradient and both moments.
pub struct Projection {
    content: Content,
    trained: Option<Trained>,
}

/// Names of the tables.
struct Trained {
    features: String,
    weight: String,
    bias: String,
}

impl Projection {
    /// Registers `weight.<m>`, `bias.<m>` and, where asked for, `features.<m>`.
    pub fn new(b: &mut Build, m: usize, train_features: bool) -> Projection {
        let content = b.projection(m);
        let trained = train_features.then(|| {
            let (name, given, group) =
                (&b.inputs.modalities[m].name, &b.inputs.modalities[m].features, b.group(m));
            let table = |part: &str| format!("{part}.{name}");
            let trained =
                Trained { features: table("features"), weight: table("weight"), bias: table("bias") };
            b.parameters.add(
                &trained.features,
                group,
                [given.rows(), given.width()],
                given.values().to_vec(),
            );
            trained
        });
        Projection { content, trained }
    }

    /// Position of the modality.
    pub fn m(&self) -> usize {
        self.content.m
    }

    /// Projections of the pass's items, or that of the mean in every row when silenced.
    pub fn projected(&self, pass: &Pass) -> Tensor<2> {
        match &self.trained {
            None => self.content.projected(pass),
            Some(_) if pass.ablation().silences(self.m()) => {
                pass::repeat(self.projected_mean(pass), pass.item_rows().len())
            }
            Some(trained) => trained.project(pass, pass.items(&trained.features)),
        }
    }

    /// The projection of the mean features, one row.
    pub fn projected_mean(&self, pass: &Pass) -> Tensor<2> {
        match &self.trained {
            None => self.content.projected_mean(pass),
            Some(trained) => trained.project(pass, pass.table(&trained.features).mean_dim(0)),
        }
    }
}

impl Trained {
    fn project(&self, pass: &Pass, features: Tensor<2>) -> Tensor<2> {
        features.matmul(pass.table(&self.weight).transpose()) + pass.table(&self.bias)
    }
}
