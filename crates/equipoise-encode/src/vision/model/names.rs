//! What the tensors of each family are called.

use super::config::Family;

/// Names within one block, and of what stands around the blocks.
#[derive(Debug)]
pub(super) struct Names {
    /// What may stand before every name: nothing, or the name of the part within a larger model.
    pub prefixes: &'static [&'static str],
    pub patch: &'static str,
    pub class: &'static str,
    pub positions: &'static str,
    pub registers: &'static str,
    /// The norm before the blocks.
    pub norm_before: Option<&'static str>,
    /// The norm after the blocks.
    pub norm_after: &'static str,
    /// The blocks, followed by their number.
    pub blocks: &'static str,
    pub attention_norm: &'static str,
    pub query: &'static str,
    pub key: &'static str,
    pub value: &'static str,
    pub output: &'static str,
    pub output_norm: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    /// The factors of the two residuals.
    pub scales: Option<[&'static str; 2]>,
}

/// The names of a family; `gated` where the second part of a block multiplies two halves.
pub(super) fn names(family: Family, gated: bool) -> Names {
    match family {
        Family::Vit => VIT,
        Family::Dinov2 if gated => Names { up: "mlp.weights_in", down: "mlp.weights_out", ..DINOV2 },
        Family::Dinov2 => DINOV2,
        Family::Clip => CLIP,
        Family::Siglip => Names { norm_before: None, ..CLIP },
    }
}

const VIT: Names = Names {
    prefixes: &["", "vit."],
    patch: "embeddings.patch_embeddings.projection",
    class: "embeddings.cls_token",
    positions: "embeddings.position_embeddings",
    registers: "",
    norm_before: None,
    norm_after: "layernorm",
    blocks: "encoder.layer.",
    attention_norm: "layernorm_before",
    query: "attention.attention.query",
    key: "attention.attention.key",
    value: "attention.attention.value",
    output: "attention.output.dense",
    output_norm: "layernorm_after",
    up: "intermediate.dense",
    down: "output.dense",
    scales: None,
};

const DINOV2: Names = Names {
    prefixes: &["", "dinov2.", "dinov2_with_registers."],
    registers: "embeddings.register_tokens",
    attention_norm: "norm1",
    output_norm: "norm2",
    up: "mlp.fc1",
    down: "mlp.fc2",
    scales: Some(["layer_scale1.lambda1", "layer_scale2.lambda1"]),
    ..VIT
};

const CLIP: Names = Names {
    prefixes: &["vision_model.", "", "clip.vision_model.", "siglip.vision_model."],
    patch: "embeddings.patch_embedding",
    class: "embeddings.class_embedding",
    positions: "embeddings.position_embedding.weight",
    registers: "",
    norm_before: Some("pre_layrnorm"),
    norm_after: "post_layernorm",
    blocks: "encoder.layers.",
    attention_norm: "layer_norm1",
    query: "self_attn.q_proj",
    key: "self_attn.k_proj",
    value: "self_attn.v_proj",
    output: "self_attn.out_proj",
    output_norm: "layer_norm2",
    up: "mlp.fc1",
    down: "mlp.fc2",
    scales: None,
};
