//! What the tensors and settings of each architecture are called.

/// An architecture, and how its names differ from BERT's, which candle's layers ask for.
pub(crate) struct Names {
    /// Value of `model_type` in `config.json`.
    pub(crate) model_type: &'static str,
    /// What may stand before every name.
    pub(crate) prefix: &'static str,
    /// Whether there are embeddings of segments.
    pub(crate) segments: bool,
    /// Whether positions count from `pad_token_id + 1`.
    pub(crate) padded_positions: bool,
    /// Whether attention has a bias by distance.
    pub(crate) relative: bool,
    /// BERT's name of each part of a layer, and its own.
    parts: &'static [[&'static str; 2]],
    /// What stands before the number of a layer.
    layers: &'static str,
}

const BERT: Names = Names {
    model_type: "bert",
    prefix: "bert.",
    segments: true,
    padded_positions: false,
    relative: false,
    parts: &[],
    layers: LAYERS,
};

/// What stands before the number of a layer of BERT.
const LAYERS: &str = "encoder.layer.";

const ROBERTA: Names = Names { model_type: "roberta", prefix: "roberta.", padded_positions: true, ..BERT };

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
        relative: false,
        parts: &[
            ["attention.self.query", "attention.q_lin"],
            ["attention.self.key", "attention.k_lin"],
            ["attention.self.value", "attention.v_lin"],
            ["attention.output.dense", "attention.out_lin"],
            ["attention.output.LayerNorm", "sa_layer_norm"],
            ["intermediate.dense", "ffn.lin1"],
            ["output.dense", "ffn.lin2"],
            ["output.LayerNorm", "output_layer_norm"],
        ],
        layers: "transformer.layer.",
    },
    Names {
        model_type: "mpnet",
        prefix: "mpnet.",
        segments: false,
        padded_positions: true,
        relative: true,
        parts: &[
            ["attention.self.query", "attention.attn.q"],
            ["attention.self.key", "attention.attn.k"],
            ["attention.self.value", "attention.attn.v"],
            ["attention.output.dense", "attention.attn.o"],
            ["attention.output.LayerNorm", "attention.LayerNorm"],
        ],
        layers: LAYERS,
    },
];

impl Names {
    /// The architecture that `config.json` calls so.
    pub(crate) fn of(model_type: &str) -> Option<&'static Names> {
        ALL.iter().find(|names| names.model_type == model_type)
    }

    /// What a file calls the tensor that BERT calls `asked`.
    pub(crate) fn called(&self, asked: &str) -> String {
        let Some((number, part)) = asked.strip_prefix(LAYERS).and_then(|rest| rest.split_once('.')) else {
            return asked.to_owned();
        };
        let own = self.parts.iter().find_map(|[of_bert, own]| {
            let rest = part.strip_prefix(of_bert)?;
            Some(format!("{own}{rest}"))
        });
        format!("{}{number}.{}", self.layers, own.as_deref().unwrap_or(part))
    }

    /// The architectures, for a message.
    pub(crate) fn known() -> String {
        ALL.iter().map(|names| names.model_type).collect::<Vec<_>>().join(", ")
    }
}
