//! What a balancer's numbers are called, by balancer.

/// One number per modality and epoch.
pub(crate) struct Quantity {
    /// Sign on the page, such as `λ`.
    pub symbol: &'static str,
    /// Word in the terminal's table.
    pub word: &'static str,
    /// Name in a chart's title, before the sign.
    pub title: &'static str,
    /// What it is, in a sentence without its full stop.
    pub meaning: &'static str,
}

/// The numbers of one balancer. One that it does not have is `None`.
pub(crate) struct Quantities {
    /// How to read them.
    pub intro: &'static str,
    /// What each modality is given.
    pub weight: Quantity,
    /// By what modalities are compared.
    pub ratio: Option<Quantity>,
    /// What each adds to a margin.
    pub effect: Option<Quantity>,
}

const EFFECT: Quantity = Quantity {
    symbol: "γ",
    word: "effect",
    title: "Treatment effect",
    meaning: "Mean margin lost when the modality is silenced",
};

/// The numbers of the balancer of that name; those of distillation for any other, as a run without a balancer
/// has none to show.
pub(crate) fn of(balance: &str) -> Quantities {
    match balance {
        "gb" => Quantities {
            intro: "What the balancer did: a modality that gains much and overfits little has a larger share of the loss.",
            weight: Quantity {
                symbol: "w",
                word: "weight",
                title: "Blending weight",
                meaning: "Weight of each modality's own loss; the rest is the whole model's",
            },
            ratio: None,
            effect: None,
        },
        "ogm" => Quantities {
            intro: "What the balancer saw and did: a modality that leads the others has its gradient scaled down.",
            weight: factor("k"),
            ratio: Some(lead("ρ", "rho", "Chance of a right order with the modality, against the others'")),
            effect: None,
        },
        "agm" => Quantities {
            intro: "What the balancer saw and did: a modality that leads by more than it used to has its gradient \
                    scaled down, one that falls behind has it scaled up.",
            weight: factor("κ"),
            ratio: Some(lead(
                "r",
                "lead",
                "Likelihood of the batch's order by the modality's response, against the others'",
            )),
            effect: Some(Quantity {
                symbol: "φ",
                word: "response",
                title: "Response",
                meaning: "Mean Shapley value of the modality in a margin",
            }),
        },
        "cohesion" => Quantities {
            intro: "What the balancer saw and did: a modality that ranks a triple well counts less in its loss.",
            weight: Quantity {
                symbol: "a",
                word: "weight",
                title: "Weight of its part",
                meaning: "Mean weight of the modality's part of a margin",
            },
            ratio: None,
            effect: Some(EFFECT),
        },
        _ => Quantities {
            intro: "What the balancer saw and did: a modality of low utilisation receives a larger distillation weight.",
            weight: Quantity {
                symbol: "λ",
                word: "lambda",
                title: "Distillation weight",
                meaning: "Mean weight of each modality's distillation loss",
            },
            ratio: Some(Quantity {
                symbol: "ρ",
                word: "rho",
                title: "Utilisation",
                meaning: "Margin that the model draws from a modality, against its teacher's",
            }),
            effect: Some(EFFECT),
        },
    }
}

const fn factor(symbol: &'static str) -> Quantity {
    let meaning = "What the modality's gradient is multiplied by";
    Quantity { symbol, word: "factor", title: "Gradient factor", meaning }
}

const fn lead(symbol: &'static str, word: &'static str, meaning: &'static str) -> Quantity {
    Quantity { symbol, word, title: "Lead", meaning }
}
