//! A tower from its file of weights.

use std::path::Path;

use candle_core::{Device, Tensor};
use candle_nn::{Conv2d, Conv2dConfig, LayerNorm, Linear, conv2d, layer_norm, linear};
use candle_transformers::models::siglip::{VisionConfig, VisionModel};

use super::config::{Family, Spec};
use super::head::{Head, ImagePooling};
use super::names::{Names, names};
use super::positions::{Interpolation, interpolate};
use super::{Blocks, Body, Tower};
use crate::error::EncodeError;
use crate::transformer::{Activation, BlockSizes, Prefixed, Weights, blocks, load};

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
        let body = match spec.family {
            Family::Siglip => source.siglip(config, pooling)?,
            _ => Body::Blocks(Box::new(source.blocks(grid, pooling)?)),
        };
        let before = usize::from(spec.has_class()) + spec.registers;
        Ok(Tower { size, width: spec.width, tokens: before + grid.0 * grid.1, body })
    }
}

impl Source<'_> {
    fn blocks(&self, grid: (usize, usize), pooling: ImagePooling) -> Result<Blocks, EncodeError> {
        let spec = self.spec;
        let head = self.head(pooling)?;
        let (before, positions) = self.tokens(grid)?;
        let sizes = BlockSizes {
            width: spec.width,
            layers: spec.layers,
            heads: spec.heads,
            hidden: spec.hidden,
            activation: self.activation,
            gated: spec.gated,
            eps: spec.eps,
        };
        Ok(Blocks {
            patches: self.patches()?,
            before: self.rows(before),
            positions: self.rows(positions),
            norm_before: self.names.norm_before.map(|name| self.norm(name)).transpose()?,
            encoder: blocks(self.weights, self.prefix, &self.names.blocks, &sizes)?,
            norm_after: self.norm(self.names.norm_after)?,
            head,
        })
    }

    /// Candle's SigLIP, whose head is left out for the mean of the patches.
    fn siglip(&self, config: &Path, pooling: ImagePooling) -> Result<Body, EncodeError> {
        let mean = match pooling {
            ImagePooling::Model => false,
            ImagePooling::Mean => true,
            other => return Err(self.no_such(other)),
        };
        if self.activation == Activation::QuickGelu {
            let problem = "hidden_act is quick_gelu, expected another activation; choose another model";
            return Err(EncodeError::file(config, problem));
        }
        let spec = self.spec;
        let settings = VisionConfig {
            hidden_size: spec.width,
            intermediate_size: spec.hidden,
            num_hidden_layers: spec.layers,
            num_attention_heads: spec.heads,
            num_channels: 3,
            image_size: spec.image,
            patch_size: spec.patch,
            hidden_act: self.activation.of_candle(),
            layer_norm_eps: spec.eps,
        };
        let model =
            load(self.weights, &Prefixed(self.prefix), |all| VisionModel::new(&settings, !mean, all))?;
        Ok(Body::Siglip { model: Box::new(model), mean })
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A linear map, whose name stands after `prefix`.
    fn linear(&self, prefix: &str, name: &str, outputs: usize) -> Result<Linear, EncodeError> {
        load(self.weights, &Prefixed(prefix), |all| linear(self.spec.width, outputs, all.pp(name)))
    }

    fn norm(&self, name: &str) -> Result<LayerNorm, EncodeError> {
        let (width, eps) = (self.spec.width, self.spec.eps);
        load(self.weights, &Prefixed(self.prefix), |all| layer_norm(width, eps, all.pp(name)))
    }

    /// Tokens as `[1, tokens, width]`.
    fn rows(&self, values: Vec<f32>) -> Tensor {
        let shape = (1, values.len() / self.spec.width, self.spec.width);
        Tensor::from_vec(values, shape, &Device::Cpu).expect("whole rows")
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

    /// Each patch becomes a token.
    fn patches(&self) -> Result<Conv2d, EncodeError> {
        let (width, patch) = (self.spec.width, self.spec.patch);
        let stride = Conv2dConfig { stride: patch, ..Conv2dConfig::default() };
        load(self.weights, &Prefixed(self.prefix), |all| {
            conv2d(3, width, patch, stride, all.pp(self.names.patch))
        })
    }

    /// The tokens before the patches and the positions of the patches.
    fn tokens(&self, grid: (usize, usize)) -> Result<(Vec<f32>, Vec<f32>), EncodeError> {
        let (width, learnt) = (self.spec.width, self.spec.learnt_grid());
        let class = usize::from(self.spec.has_class());
        let mut table = self.table(self.names.positions, class + learnt * learnt)?;
        let patches = table.split_off(class * width);
        let mut before = match self.spec.has_class() {
            true => self.table(self.names.class, 1)?,
            false => Vec::new(),
        };
        before.iter_mut().zip(&table).for_each(|(value, position)| *value += position);
        if self.spec.registers > 0 {
            before.extend(self.table(self.names.registers, self.spec.registers)?);
        }
        let how = match self.spec.registers {
            0 => Interpolation::Plain,
            _ => Interpolation::Smoothing,
        };
        let positions = match grid == (learnt, learnt) {
            true => patches,
            false => interpolate(&patches, learnt, width, grid, how),
        };
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

    fn head(&self, pooling: ImagePooling) -> Result<Head, EncodeError> {
        use ImagePooling::{Cls, Mean, Model, Pooler};
        match (self.spec.family, pooling) {
            (Family::Vit | Family::Dinov2, Model) | (Family::Vit | Family::Dinov2 | Family::Clip, Cls) => {
                Ok(Head::Class)
            }
            (Family::Vit | Family::Dinov2, Mean) => Ok(Head::Mean),
            (Family::Vit, Pooler) if self.weights.has(&self.name("pooler.dense.weight")) => {
                let outputs = self.outputs_of(&self.name("pooler.dense.weight"));
                self.linear(self.prefix, "pooler.dense", outputs.unwrap_or(1)).map(Head::Pooler)
            }
            // The projection is no part of the vision tower; a tower saved alone has none.
            (Family::Clip, Model) => match self.outputs_of("visual_projection.weight") {
                Some(outputs) => self.linear("", "visual_projection", outputs).map(Head::Projected),
                None => Ok(Head::Class),
            },
            (_, pooling) => Err(self.no_such(pooling)),
        }
    }

    /// Outputs of the linear map of this weight, if it is there.
    fn outputs_of(&self, name: &str) -> Option<usize> {
        let shape = self.weights.shape(name).ok()?;
        shape.first().map(|&outputs| outputs.max(1))
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
}
