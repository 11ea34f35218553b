//! What most backbones are made of: id tables, preferences, projections, linear maps.

use crate::{Inputs, Pass};
use burn::tensor::Tensor;
use equipoise_data::{FieldError, Stream};
use equipoise_nn::{Group, Parameters, affine, affine_added_leaky, affine_leaky, init};

/// An initialiser: values of a table of `rows x columns`.
pub type Init = fn(usize, usize, &mut Stream) -> Vec<f32>;

/// What a backbone registers its parameters with.
pub struct Build<'a> {
    /// Embedding width `d`.
    pub width: usize,
    /// Sizes, features and graph.
    pub inputs: &'a Inputs,
    /// Where parameters go.
    pub parameters: &'a mut Parameters,
    /// Where initial values come from.
    pub stream: &'a mut Stream,
    pub(crate) refusal: Option<FieldError>,
}

impl Build<'_> {
    /// Says that the data set does not have what a setting asks for; the key is the whole one,
    /// `backbone.<name>.<field>`. The model is then not made, whatever is returned; the first fault counts.
    pub fn refuse(&mut self, fault: FieldError) {
        self.refusal.get_or_insert(fault);
    }

    /// Number of modalities.
    pub fn n_modalities(&self) -> usize {
        self.inputs.n_modalities()
    }

    /// The group of modality `m`.
    pub fn group(&self, m: usize) -> Group {
        Group::Modality(self.inputs.modalities[m].name.clone())
    }

    /// Registers a table.
    pub fn table(&mut self, name: &str, group: Group, shape: [usize; 2], init: Init) {
        let values = init(shape[0], shape[1], self.stream);
        self.parameters.add(name, group, shape, values);
    }

    /// Id embeddings: `user.id` of `U x d` and `item.id` of `I x d`.
    pub fn ids(&mut self, init: Init) {
        let (users, items) = (self.inputs.n_users, self.inputs.n_items);
        self.table("user.id", Group::Ids, [users, self.width], init);
        self.table("item.id", Group::Ids, [items, self.width], init);
    }

    /// Id embeddings initialised as one table of `N = U + I` rows, normal with variance `2 / (N + d)`.
    pub fn ids_as_one_table(&mut self) {
        let (users, items, d) = (self.inputs.n_users, self.inputs.n_items, self.width);
        let mut values = init::xavier_normal(users + items, d, self.stream);
        let of_items = values.split_off(users * d);
        self.parameters.add("user.id", Group::Ids, [users, d], values);
        self.parameters.add("item.id", Group::Ids, [items, d], of_items);
    }

    /// Users' preferences of modality `m`: `user.<m>` of `U x d`.
    pub fn preferences(&mut self, m: usize, init: Init) {
        let (name, group) = (format!("user.{}", self.inputs.modalities[m].name), self.group(m));
        self.table(&name, group, [self.inputs.n_users, self.width], init);
    }

    /// The projection of modality `m`, `weight.<m>` of `d x d_m` and `bias.<m>` of `1 x d`, both
    /// `U(-1/sqrt(d_m), 1/sqrt(d_m))`.
    pub fn projection(&mut self, m: usize) -> Content {
        let mut content = self.projection_without_bias(m);
        let (bias, group) = (format!("bias.{}", self.inputs.modalities[m].name), self.group(m));
        let values = init::linear(self.width, self.inputs.modalities[m].features.width(), self.stream);
        self.parameters.add(&bias, group, [1, self.width], values);
        content.bias = Some(bias);
        content
    }

    /// The same without `bias.<m>`: `W e_i` alone.
    pub fn projection_without_bias(&mut self, m: usize) -> Content {
        let modality = &self.inputs.modalities[m];
        let (content, width) = (Content::new(m, &modality.name), modality.features.width());
        let (group, shape) = (self.group(m), [self.width, width]);
        let values = init::linear(shape[0] * width, width, self.stream);
        self.parameters.add(&content.weight, group, shape, values);
        content
    }

    /// A linear map: `<name>.weight` of `out x in` and `<name>.bias` of `1 x out`, both
    /// `U(-1/sqrt(in), 1/sqrt(in))`.
    pub fn linear(&mut self, name: &str, group: Group, [out, fan_in]: [usize; 2]) -> Linear {
        let linear = Linear { weight: format!("{name}.weight"), bias: format!("{name}.bias") };
        let weight = init::linear(out * fan_in, fan_in, self.stream);
        self.parameters.add(&linear.weight, group.clone(), [out, fan_in], weight);
        self.parameters.add(&linear.bias, group, [1, out], init::linear(out, fan_in, self.stream));
        linear
    }
}

/// One modality's projection and, where the backbone has them, its preferences.
#[derive(Clone, Debug)]
pub struct Content {
    /// Position of the modality.
    pub m: usize,
    preference: String,
    weight: String,
    bias: Option<String>,
}

impl Content {
    fn new(m: usize, modality: &str) -> Content {
        let name = |part: &str| format!("{part}.{modality}");
        Content { m, preference: name("user"), weight: name("weight"), bias: None }
    }

    /// Preferences of the pass's users, or their mean in every row when silenced.
    pub fn preferences(&self, pass: &Pass) -> Tensor<2> {
        pass.preferences(self.m, &self.preference)
    }

    /// Projections of the pass's items, or that of the mean in every row when silenced.
    pub fn projected(&self, pass: &Pass) -> Tensor<2> {
        pass.project(self.m, &self.weight, self.bias.as_deref())
    }

    /// `x W_m^T + b_m` of rows of features.
    pub fn project(&self, pass: &Pass, features: Tensor<2>) -> Tensor<2> {
        let linear = features.matmul(pass.table(&self.weight).transpose());
        self.bias.iter().fold(linear, |x, bias| x + pass.table(bias))
    }

    /// The mean preference, one row.
    pub fn mean_preference(&self, pass: &Pass) -> Tensor<2> {
        pass.mean_preference(&self.preference)
    }

    /// The projection of the mean features, one row.
    pub fn projected_mean(&self, pass: &Pass) -> Tensor<2> {
        pass.project_mean(self.m, &self.weight, self.bias.as_deref())
    }
}

/// A linear map `x W^T + b`.
#[derive(Clone, Debug)]
pub struct Linear {
    weight: String,
    bias: String,
}

impl Linear {
    /// Applies it to each row.
    pub fn apply(&self, pass: &Pass, x: Tensor<2>) -> Tensor<2> {
        affine(x, pass.table(&self.weight), pass.table(&self.bias))
    }

    /// Applies it to each row, then a leaky ReLU.
    pub fn apply_leaky(&self, pass: &Pass, x: Tensor<2>) -> Tensor<2> {
        affine_leaky(x, pass.table(&self.weight), pass.table(&self.bias))
    }

    /// `x W^T + s b`: row `r` gets the share `s_r` of the bias, `shares` of `[n, 1]`.
    pub fn apply_with_shares(&self, pass: &Pass, x: Tensor<2>, shares: Tensor<2>) -> Tensor<2> {
        x.matmul(pass.table(&self.weight).transpose()) + shares.matmul(pass.table(&self.bias))
    }

    /// Applies it to each row and adds two tables, then a leaky ReLU.
    pub fn add_leaky(&self, pass: &Pass, x: Tensor<2>, added: [Tensor<2>; 2]) -> Tensor<2> {
        affine_added_leaky(x, pass.table(&self.weight), pass.table(&self.bias), added)
    }
}
