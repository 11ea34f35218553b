//! What a balancer's numbers are called, for tables and charts.

/// One number per modality and epoch, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// Sign on the page, such as `λ`.
    pub symbol: &'static str,
    /// Word in the terminal's table.
    pub word: &'static str,
    /// Name in a chart's title, before the sign.
    pub title: &'static str,
    /// What it is, in a sentence without its full stop.
    pub meaning: &'static str,
}

/// The numbers of one balancer, fields of [`ModalityStep`](crate::ModalityStep). One that it does not have is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantities {
    /// How to read them.
    pub intro: &'static str,
    /// What each modality is given.
    pub weight: Quantity,
    /// By what modalities are compared.
    pub ratio: Option<Quantity>,
    /// What each adds to a margin.
    pub effect: Option<Quantity>,
}

/// The treatment effect, by which several balancers go.
pub const TREATMENT_EFFECT: Quantity = Quantity {
    symbol: "γ",
    word: "effect",
    title: "Treatment effect",
    meaning: "Mean margin lost when the modality is silenced",
};

impl Quantities {
    /// Words that fit any balancer.
    pub const GENERAL: Quantities = Quantities {
        intro: "What the balancer saw and did.",
        weight: Quantity {
            symbol: "w",
            word: "weight",
            title: "Weight",
            meaning: "What the balancer gives each modality",
        },
        ratio: Some(Quantity {
            symbol: "ρ",
            word: "ratio",
            title: "Ratio",
            meaning: "Ratio by which the balancer compares modalities",
        }),
        effect: Some(TREATMENT_EFFECT),
    };
}
