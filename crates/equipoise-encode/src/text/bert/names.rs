//! What the tensors and settings of BERT's family are called.

/// What attention adds to the score of a query and a key by their distance.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relative {
    /// Nothing: positions have rows of their own.
    Nothing,
    /// A learnt number for each head and bucket of distances, besides the rows of positions.
    Buckets,
    /// A number that falls with the distance, instead of rows of positions.
    Slopes,
}

/// Names of the tensors of an architecture; `{n}` stands for the number of the layer.
pub(crate) struct Names {
    /// Value of `model_type` in `config.json`.
    pub(crate) model_type: &'static str,
    /// What may stand before every name.
    pub(crate) prefix: &'static str,
    /// Whether there are embeddings of segments.
    pub(crate) segments: bool,
    /// Whether positions count from `pad_token_id + 1`.
    pub(crate) padded_positions: bool,
    /// What attention adds by distance.
    pub(crate) relative: Relative,
    /// Whether the first linear map of a layer is gated: twice as wide.
    pub(crate) gated: bool,
    pub(crate) query: &'static str,
    pub(crate) key: &'static str,
    pub(crate) value: &'static str,
    pub(crate) attention_output: &'static str,
    pub(crate) attention_norm: &'static str,
    pub(crate) up: &'static str,
    pub(crate) down: &'static str,
    pub(crate) output_norm: &'static str,
}

const BERT: Names = Names {
    model_type: "bert",
    prefix: "bert.",
    segments: true,
    padded_positions: false,
    relative: Relative::Nothing,
    gated: false,
    query: "encoder.layer.{n}.attention.self.query",
    key: "encoder.layer.{n}.attention.self.key",
    value: "encoder.layer.{n}.attention.self.value",
    attention_output: "encoder.layer.{n}.attention.output.dense",
    attention_norm: "encoder.layer.{n}.attention.output.LayerNorm",
    up: "encoder.layer.{n}.intermediate.dense",
    down: "encoder.layer.{n}.output.dense",
    output_norm: "encoder.layer.{n}.output.LayerNorm",
};

const ROBERTA: Names = Names { model_type: "roberta", prefix: "roberta.", padded_positions: true, ..BERT };

/// Jina's embeddings of the second version, English: `bert` with `position_embedding_type` `alibi` (Günther et al. 2023).
pub(crate) const JINA: Names = Names {
    relative: Relative::Slopes,
    gated: true,
    up: "encoder.layer.{n}.mlp.gated_layers",
    down: "encoder.layer.{n}.mlp.wo",
    output_norm: "encoder.layer.{n}.mlp.layernorm",
    ..BERT
};

/// Every architecture: BERT (Devlin et al., NAACL 2019; also MiniLM), RoBERTa (Liu et al. 2019), XLM-R (Conneau et al.,
/// ACL 2020), CamemBERT (Martin et al., ACL 2020), DistilBERT (Sanh et al. 2019), MPNet (Song et al., NeurIPS 2020).
static ALL: [Names; 6] = [
    BERT,
    ROBERTA,
    Names { model_type: "xlm-roberta", ..ROBERTA },
    Names { model_type: "camembert", ..ROBERTA },
    Names {
        model_type: "distilbert",
        prefix: "distilbert.",
        segments: false,
        padded_positions: false,
        relative: Relative::Nothing,
        gated: false,
        query: "transformer.layer.{n}.attention.q_lin",
        key: "transformer.layer.{n}.attention.k_lin",
        value: "transformer.layer.{n}.attention.v_lin",
        attention_output: "transformer.layer.{n}.attention.out_lin",
        attention_norm: "transformer.layer.{n}.sa_layer_norm",
        up: "transformer.layer.{n}.ffn.lin1",
        down: "transformer.layer.{n}.ffn.lin2",
        output_norm: "transformer.layer.{n}.output_layer_norm",
    },
    Names {
        model_type: "mpnet",
        prefix: "mpnet.",
        segments: false,
        padded_positions: true,
        relative: Relative::Buckets,
        query: "encoder.layer.{n}.attention.attn.q",
        key: "encoder.layer.{n}.attention.attn.k",
        value: "encoder.layer.{n}.attention.attn.v",
        attention_output: "encoder.layer.{n}.attention.attn.o",
        attention_norm: "encoder.layer.{n}.attention.LayerNorm",
        ..BERT
    },
];

impl Names {
    /// The architecture that `config.json` calls so.
    pub(crate) fn of(model_type: &str) -> Option<&'static Names> {
        ALL.iter().find(|names| names.model_type == model_type)
    }
}
