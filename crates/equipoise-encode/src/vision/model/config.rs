//! `config.json` of vision transformers.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::error::EncodeError;
use crate::json;
use crate::vision::known::known;
use equipoise_data::short;

/// The families that are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Dosovitskiy et al., ICLR 2021, *An Image is Worth 16x16 Words*; also DINO and DeiT without distillation.
    Vit,
    /// Oquab et al., TMLR 2024, *DINOv2*; with registers Darcet et al., ICLR 2024.
    Dinov2,
    /// The vision tower of Radford et al., ICML 2021, *Learning Transferable Visual Models*.
    Clip,
    /// The vision tower of Zhai et al., ICCV 2023, *Sigmoid Loss for Language Image Pre-Training*.
    Siglip,
}

/// `model_type` of each family.
const TYPES: [(&str, Family); 7] = [
    ("vit", Family::Vit),
    ("dinov2", Family::Dinov2),
    ("dinov2_with_registers", Family::Dinov2),
    ("clip", Family::Clip),
    ("clip_vision_model", Family::Clip),
    ("siglip", Family::Siglip),
    ("siglip_vision_model", Family::Siglip),
];

/// Sizes and kinds of a vision transformer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spec {
    /// Its family.
    pub family: Family,
    /// `model_type` as the file has it.
    pub model_type: String,
    /// Width of a token.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Heads of attention.
    pub heads: usize,
    /// Width within the second part of a block.
    pub hidden: usize,
    /// Whether that part multiplies two halves (SwiGLU).
    pub gated: bool,
    /// Edge, in pixels, of the pictures whose positions were learnt.
    pub image: usize,
    /// Edge of a patch in pixels.
    pub patch: usize,
    /// Name of the activation.
    pub activation: String,
    /// What layer norms add to the variance.
    pub eps: f32,
    /// Tokens that belong to no patch, beside the class token.
    pub registers: usize,
}

/// The fields of the file, which have the defaults of their family where they are left out.
#[derive(Debug, Deserialize)]
struct Fields {
    hidden_size: Option<usize>,
    num_hidden_layers: Option<usize>,
    num_attention_heads: Option<usize>,
    intermediate_size: Option<usize>,
    mlp_ratio: Option<f64>,
    use_swiglu_ffn: Option<bool>,
    image_size: Option<usize>,
    patch_size: Option<usize>,
    hidden_act: Option<String>,
    layer_norm_eps: Option<f64>,
    num_register_tokens: Option<usize>,
    num_channels: Option<usize>,
}

impl Spec {
    /// Reads `config.json`; of a model of pictures and texts, its `vision_config`.
    ///
    /// # Errors
    /// If the file cannot be read, is of another family, or a size is out of its range.
    pub fn read(file: &Path) -> Result<Spec, EncodeError> {
        let whole: Value = json::read(file)?;
        let (model_type, family) = known(file, &whole, &TYPES)?;
        let inner = whole.get("vision_config").unwrap_or(&whole);
        let fields = Fields::deserialize(inner).map_err(|error| {
            let problem = short(&error.to_string());
            EncodeError::file(file, format!("{problem}; correct the file or fetch the model again"))
        })?;
        let spec = Spec::of(family, model_type, fields).and_then(Spec::checked);
        spec.map_err(|problem| {
            EncodeError::file(file, format!("{problem}; correct the file or fetch the model again"))
        })
    }

    fn of(family: Family, model_type: &str, fields: Fields) -> Result<Spec, String> {
        let width = fields.hidden_size.unwrap_or(768);
        let (activation, eps, patch) = match family {
            Family::Vit => ("gelu", 1e-12, 16),
            Family::Dinov2 => ("gelu", 1e-6, 14),
            Family::Clip => ("quick_gelu", 1e-5, 32),
            Family::Siglip => ("gelu_pytorch_tanh", 1e-6, 16),
        };
        let gated = family == Family::Dinov2 && fields.use_swiglu_ffn.unwrap_or(false);
        let hidden = match family {
            Family::Dinov2 => dinov2_hidden(width, fields.mlp_ratio.unwrap_or(4.0), gated),
            _ => fields.intermediate_size.unwrap_or(3072),
        };
        match fields.num_channels {
            None | Some(3) => {}
            Some(other) => return Err(format!("num_channels = {other}: expected 3")),
        }
        let registers = match model_type {
            "dinov2_with_registers" => fields.num_register_tokens.unwrap_or(4),
            _ => 0,
        };
        Ok(Spec {
            family,
            model_type: model_type.to_owned(),
            width,
            layers: fields.num_hidden_layers.unwrap_or(12),
            heads: fields.num_attention_heads.unwrap_or(12),
            hidden,
            gated,
            image: fields.image_size.unwrap_or(224),
            patch: fields.patch_size.unwrap_or(patch),
            activation: fields.hidden_act.unwrap_or_else(|| activation.to_owned()),
            eps: fields.layer_norm_eps.unwrap_or(eps) as f32,
            registers,
        })
    }

    /// Sizes that no model has would otherwise be asked of the memory.
    fn checked(self) -> Result<Spec, String> {
        let sizes = [
            ("hidden_size", self.width, 16_384),
            ("num_hidden_layers", self.layers, 1_024),
            ("num_attention_heads", self.heads, self.width),
            ("intermediate_size", self.hidden, 131_072),
            ("image_size", self.image, 4_096),
            ("patch_size", self.patch, self.image),
        ];
        for (field, value, most) in sizes {
            if value == 0 || value > most {
                return Err(format!("{field} = {value}: expected 1 to {most}"));
            }
        }
        if !self.width.is_multiple_of(self.heads) {
            let (width, heads) = (self.width, self.heads);
            return Err(format!(
                "num_attention_heads = {heads}: expected a divisor of hidden_size = {width}"
            ));
        }
        if self.registers > 1_024 {
            return Err(format!("num_register_tokens = {}: expected at most 1024", self.registers));
        }
        if !(self.eps.is_finite() && self.eps >= 0.0) {
            return Err(format!("layer_norm_eps = {}: expected a small positive number", self.eps));
        }
        Ok(self)
    }

    /// Patches along an edge of the pictures whose positions were learnt.
    pub fn learnt_grid(&self) -> usize {
        self.image / self.patch
    }

    /// Whether there is a class token before the patches.
    pub fn has_class(&self) -> bool {
        self.family != Family::Siglip
    }
}

/// `ratio * width`, of which SwiGLU keeps two thirds, rounded up to a multiple of 8.
fn dinov2_hidden(width: usize, ratio: f64, gated: bool) -> usize {
    let hidden = (width as f64 * ratio) as usize;
    if gated { (hidden.saturating_mul(2) / 3).div_ceil(8) * 8 } else { hidden }
}
