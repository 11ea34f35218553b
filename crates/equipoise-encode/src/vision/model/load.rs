//! A tower from its file of weights.

use std::path::Path;

use super::Tower;
use super::config::{Family, Spec};
use super::head::{AttentionHead, Head};
use super::names::{Names, names};
use super::positions::{Interpolation, interpolate};
use crate::error::EncodeError;
use crate::transformer::{Activation, Attention, Block, LayerNorm, Linear, Order, Weights};
use crate::vision::pooling::ImagePooling;

/// What loading a tower goes by.
struct Source<'a> {
    spec: &'a Spec,
    weights: &'a Weights,
    names: Names,
    prefix: &'static str,
    activation: Activation,
}

impl Tower {
    /// The tower of these weights for pictures of so many rows and columns. `config` is the file of the `spec`.
    ///
    /// # Errors
    /// If a tensor is absent or has another shape, the model cannot read pictures of this size, or has no such pooling.
    pub fn load(
        spec: &Spec,
        config: &Path,
        weights: &Weights,
        size: (usize, usize),
        pooling: ImagePooling,
    ) -> Result<Tower, EncodeError> {
        let names = names(spec.family, spec.gated);
        let there = |prefix: &&&str| weights.has(&format!("{prefix}{}.weight", names.patch));
        let prefix = names.prefixes.iter().find(there).unwrap_or(&names.prefixes[0]);
        let activation = Activation::named(config, &spec.activation)?;
        let source = Source { spec, weights, prefix, names, activation };
        let grid = source.grid(config, size)?;
        let (before, positions) = source.tokens(grid)?;
        Ok(Tower {
            size,
            patch: spec.patch,
            width: spec.width,
            patches: source.patches()?,
            before,
            positions,
            norm_before: source.names.norm_before.map(|name| source.norm(name)).transpose()?,
            blocks: (0..spec.layers).map(|layer| source.block(layer)).collect::<Result<_, _>>()?,
            norm_after: source.norm(source.names.norm_after)?,
            head: source.head(pooling)?,
        })
    }
}

impl Source<'_> {
    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn linear(&self, name: &str, inputs: usize, outputs: usize) -> Result<Linear, EncodeError> {
        Linear::load(self.weights, &self.name(name), inputs, outputs)
    }

    fn norm(&self, name: &str) -> Result<LayerNorm, EncodeError> {
        LayerNorm::load(self.weights, &self.name(name), self.spec.width, self.spec.eps)
    }

    /// Rows and columns of the patches of such pictures. Only DINOv2 was made for more sizes than one.
    fn grid(&self, config: &Path, (height, width): (usize, usize)) -> Result<(usize, usize), EncodeError> {
        let patch = self.spec.patch;
        let grid = (height / patch, width / patch);
        let learnt = self.spec.learnt_grid();
        let fits = match self.spec.family {
            Family::Dinov2 => grid.0 > 0 && grid.1 > 0,
            _ => grid == (learnt, learnt),
        };
        if fits {
            return Ok(grid);
        }
        let problem = format!(
            "pictures come out of preprocessor_config.json with {height} x {width} pixels, expected {0} x {0} \
             (image_size); use the two files of one model",
            self.spec.image
        );
        Err(EncodeError::file(config, problem))
    }

    /// The convolution of patches as a linear map of their pixels.
    fn patches(&self) -> Result<Linear, EncodeError> {
        let (width, patch) = (self.spec.width, self.spec.patch);
        let name = self.name(self.names.patch);
        let weight = self.weights.tensor(&format!("{name}.weight"), &[width, 3, patch, patch])?;
        let bias = format!("{name}.bias");
        let bias = if self.weights.has(&bias) { self.weights.tensor(&bias, &[width])? } else { Vec::new() };
        Ok(Linear::new(weight, bias, 3 * patch * patch, width))
    }

    /// The tokens before the patches and the positions of the patches.
    fn tokens(&self, grid: (usize, usize)) -> Result<(Vec<f32>, Vec<f32>), EncodeError> {
        let (width, learnt) = (self.spec.width, self.spec.learnt_grid());
        let class = usize::from(self.spec.has_class());
        let mut table = self.table(self.names.positions, class + learnt * learnt)?;
        let patches = table.split_off(class * width);
        let mut before = if self.spec.has_class() { self.table(self.names.class, 1)? } else { Vec::new() };
        before.iter_mut().zip(&table).for_each(|(value, position)| *value += position);
        if self.spec.registers > 0 {
            before.extend(self.table(self.names.registers, self.spec.registers)?);
        }
        let how = match self.spec.registers {
            0 => Interpolation::Plain,
            _ => Interpolation::Smoothing,
        };
        let positions =
            if grid == (learnt, learnt) { patches } else { interpolate(&patches, learnt, width, grid, how) };
        Ok((before, positions))
    }

    /// A table of rows, stored with or without a leading 1, a single row also as a vector.
    fn table(&self, name: &str, rows: usize) -> Result<Vec<f32>, EncodeError> {
        let (name, width) = (self.name(name), self.spec.width);
        let shape = match self.weights.shape(&name)?.len() {
            1 => vec![rows * width],
            3 => vec![1, rows, width],
            _ => vec![rows, width],
        };
        self.weights.tensor(&name, &shape)
    }

    fn block(&self, layer: usize) -> Result<Block, EncodeError> {
        let (spec, names) = (self.spec, &self.names);
        let (width, hidden) = (spec.width, spec.hidden);
        let name = |name: &str| format!("{}{layer}.{name}", names.blocks);
        let square = |part: &str| self.linear(&name(part), width, width);
        let attention = Attention::new(
            square(names.query)?,
            square(names.key)?,
            square(names.value)?,
            square(names.output)?,
            spec.heads,
        );
        let scale = |part: &str| self.weights.tensor(&self.name(&name(part)), &[width]);
        let scales = match names.scales {
            Some([first, second]) => Some([scale(first)?, scale(second)?]),
            None => None,
        };
        Ok(Block {
            attention,
            attention_norm: self.norm(&name(names.attention_norm))?.into(),
            up: self.linear(&name(names.up), width, if spec.gated { 2 * hidden } else { hidden })?,
            activation: if spec.gated { Activation::Silu } else { self.activation },
            down: self.linear(&name(names.down), hidden, width)?,
            output_norm: self.norm(&name(names.output_norm))?.into(),
            order: Order::PreNorm,
            scales,
        })
    }

    fn head(&self, pooling: ImagePooling) -> Result<Head, EncodeError> {
        use ImagePooling::{Cls, Mean, Model, Pooler};
        match (self.spec.family, pooling) {
            (Family::Vit | Family::Dinov2, Model) | (Family::Vit | Family::Dinov2 | Family::Clip, Cls) => {
                Ok(Head::Class)
            }
            (Family::Vit | Family::Dinov2 | Family::Siglip, Mean) => Ok(Head::Mean),
            (Family::Vit, Pooler) if self.weights.has(&self.name("pooler.dense.weight")) => {
                let outputs = self.outputs_of("pooler.dense.weight")?;
                self.linear("pooler.dense", self.spec.width, outputs).map(Head::Pooler)
            }
            (Family::Clip, Model) => self.projection(),
            (Family::Siglip, Model) => self.attending().map(|head| Head::Attending(Box::new(head))),
            (_, pooling) => Err(self.no_such(pooling)),
        }
    }

    fn outputs_of(&self, name: &str) -> Result<usize, EncodeError> {
        Ok(self.weights.shape(&self.name(name))?.first().map_or(1, |&outputs| outputs.max(1)))
    }

    /// CLIP's projection, which is no part of the vision tower; a tower saved alone has none.
    fn projection(&self) -> Result<Head, EncodeError> {
        let name = "visual_projection";
        let Ok(&[outputs, ..]) = self.weights.shape(&format!("{name}.weight")) else {
            return Ok(Head::Class);
        };
        Linear::load(self.weights, name, self.spec.width, outputs.max(1)).map(Head::Projected)
    }

    fn no_such(&self, pooling: ImagePooling) -> EncodeError {
        let expected = match self.spec.family {
            Family::Vit => "model, cls, mean, or pooler where the model has one",
            Family::Dinov2 => "model, cls or mean",
            Family::Clip => "model or cls",
            Family::Siglip => "model or mean",
        };
        let expected = format!("{expected}, for a model of the type {}", self.spec.model_type);
        EncodeError::Setting { field: "pooling", found: pooling.name().to_owned(), expected }
    }

    fn attending(&self) -> Result<AttentionHead, EncodeError> {
        let width = self.spec.width;
        let tensor = |name: &str, shape: &[usize]| self.weights.tensor(&self.name(name), shape);
        let weight = tensor("head.attention.in_proj_weight", &[3 * width, width])?;
        let bias = tensor("head.attention.in_proj_bias", &[3 * width])?;
        let part = |which: usize| {
            let weight = weight[which * width * width..][..width * width].to_vec();
            Linear::new(weight, bias[which * width..][..width].to_vec(), width, width)
        };
        let mut query = Vec::new();
        part(0).forward(&self.table("head.probe", 1)?, &mut query);
        Ok(AttentionHead {
            query,
            key: part(1),
            value: part(2),
            output: self.linear("head.attention.out_proj", width, width)?,
            heads: self.spec.heads,
            norm: self.norm("head.layernorm")?,
            up: self.linear("head.mlp.fc1", width, self.spec.hidden)?,
            activation: self.activation,
            down: self.linear("head.mlp.fc2", self.spec.hidden, width)?,
        })
    }
}
