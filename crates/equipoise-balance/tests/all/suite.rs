//! The suite: every built-in balancer passes it, and what it is there to find it finds.

use equipoise_balance::losses::{bpr, mean_bpr};
use equipoise_balance::mmpareto::Shared;
use equipoise_balance::ogm::{Apply, AssignShared, Contribution};
use equipoise_balance::weights::WeightMode;
use equipoise_balance::{
    Agm, Arl, BalanceConfig, Balancer, BalancerSettings, Ckd, G2d, Gb, MmPareto, ModalityStep, Needs, Ogm,
    Quantities, Setup, StepLoss, StepMargins, built_in, ckd, find, gb, suite,
};
use equipoise_models::Ablation;
use serde::{Deserialize, Serialize};

#[test]
fn every_built_in_balancer_passes() {
    std::thread::scope(|scope| {
        for entry in built_in() {
            scope.spawn(move || suite::check(entry));
        }
    });
}

#[test]
fn settings_other_than_the_defaults_pass() {
    let check = |config: BalanceConfig| suite::check_with(find(&config.name).expect("built in"), &config);
    for weights in [WeightMode::Released, WeightMode::Uniform] {
        check(BalanceConfig::of(Ckd { weights, lambda_kd: 0.5, tau: 1.0, ..Ckd::default() }));
    }
    let robust = Ckd { weights: WeightMode::Robust, lambda_kd: 0.5, tau: 1.0, ..Ckd::default() };
    check(BalanceConfig::of(robust));
    for specific in [ckd::Specific::Kl, ckd::Specific::Mse] {
        check(BalanceConfig::of(Ckd { specific, lambda_kd: 0.5, tau: 1.0, ..Ckd::default() }));
    }
    for estimate in [gb::Estimate::Alone, gb::Estimate::Running] {
        check(BalanceConfig::of(Gb { schedule: gb::Schedule::Online, every: 3, estimate, ..Gb::default() }));
    }
    check(BalanceConfig::of(Ckd { smooth: 0.9, lambda_kd: 0.5, tau: 1.0, ..Ckd::default() }));
    let (apply, assign_shared) = (Apply::Update, AssignShared::Average);
    check(BalanceConfig::of(Ogm { apply, assign_shared, alpha: 1.0, ..Ogm::default() }));
    check(BalanceConfig::of(Ogm { ids: true, ..Ogm::default() }));
    check(BalanceConfig::of(Ogm { ids: true, contribution: Some(Contribution::Ablated), ..Ogm::default() }));
    check(BalanceConfig::of(Agm { ids: true, ..Agm::default() }));
    for hold in [0, 5] {
        check(BalanceConfig::of(G2d { ids: true, hold, ..G2d::default() }));
    }
    check(BalanceConfig::of(Arl { apply: Apply::Grad, alpha: 2.0, bias: 0.1 }));
    check(BalanceConfig::of(MmPareto { shared: Shared::Sum, gamma: 1.5, strength: 3.0 }));
    // Modulation ends in the middle of the suite's course; its noise has a stream that goes on.
    suite::goes_on_from_its_state(
        find("ogm").expect("built in"),
        &BalanceConfig::of(Ogm { alpha: 1.0, ge: true, start_epoch: 2, end_epoch: 9, ..Ogm::default() }),
    );
}

/// What is wrong with a balancer that ranks with each modality alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Fault {
    #[default]
    None,
    /// A loss that is no number once margins are large.
    Overflow,
    /// Weights that it takes from the tape as if they were constants.
    Gradient,
    /// The first modality counts twice.
    Order,
    /// Something is left at strength 0.
    Strength,
    /// No numbers.
    Silent,
    /// A ratio that it has no words for.
    Wordless,
    /// It says that it stands beside the ranking loss, and replaces it.
    Replaces,
    /// It counts its steps, and does not say so.
    Forgets,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Faulty {
    strength: f64,
    fault: Fault,
}

impl Default for Faulty {
    fn default() -> Self {
        Faulty { strength: 1.0, fault: Fault::None }
    }
}

impl BalancerSettings for Faulty {
    const NAME: &'static str = "faulty";
    const SOURCE: &'static str = "this test";
    const SUMMARY: &'static str = "what the suite is there to find";
    const QUANTITIES: Quantities = Quantities { ratio: None, effect: None, ..Quantities::GENERAL };

    fn build(&self, setup: Setup) -> Box<dyn Balancer> {
        Box::new(Ranking { settings: *self, modalities: setup.modalities, steps: 0 })
    }
}

/// The same, which says of itself that it has a strength.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Strong(Faulty);

impl BalancerSettings for Strong {
    const NAME: &'static str = "strong";
    const SOURCE: &'static str = "this test";
    const SUMMARY: &'static str = "it says that strength 0 has no effect";
    const QUANTITIES: Quantities = Faulty::QUANTITIES;

    fn without_effect() -> Option<Strong> {
        Some(Strong(Faulty { strength: 0.0, fault: Fault::Strength }))
    }

    fn build(&self, setup: Setup) -> Box<dyn Balancer> {
        self.0.build(setup)
    }
}

struct Ranking {
    settings: Faulty,
    modalities: usize,
    steps: u32,
}

impl Balancer for Ranking {
    fn needs(&self) -> Needs {
        let ablations = (0..self.modalities).map(|m| Ablation::only(m, self.modalities)).collect();
        let replaces_ranking = self.settings.fault == Fault::Replaces;
        Needs { ablations, replaces_ranking, ..Needs::default() }
    }

    fn loss(&mut self, step: &StepMargins) -> StepLoss {
        let (Faulty { strength, fault }, margins) = (self.settings, step.bpr_margins);
        let mut seen = StepLoss::default();
        let counted = if fault == Fault::Forgets { 1.0 + 0.1 * f64::from(self.steps) } else { 1.0 };
        self.steps += 1;
        for m in 0..self.modalities {
            let only = Ablation::only(m, self.modalities);
            let found = mean_bpr(&margins.values(only));
            let twice = if fault == Fault::Order && m == 0 { 2.0 } else { 1.0 };
            let left = if fault == Fault::Strength { strength + 0.1 } else { strength };
            let mut term = bpr(margins.of(only)) * (twice * left * counted);
            if fault == Fault::Gradient {
                term = term.clone() * term.inner();
            }
            if fault == Fault::Overflow {
                term = term * 10.0_f64.powf(found * 10.0);
            }
            let rho = (fault == Fault::Wordless).then_some(0.5);
            if fault != Fault::Silent {
                seen.modalities.push(ModalityStep { weight: left, rho, ..ModalityStep::default() });
            }
            seen.loss = Some(seen.loss.into_iter().fold(term, |sum, others| others + sum));
        }
        seen
    }
}

/// What the suite says of a balancer with that fault; `None` if it has nothing to say.
fn verdict(fault: Fault) -> Option<String> {
    let run = move || suite::check_with(&Faulty::ENTRY, &BalanceConfig::of(Faulty { strength: 1.0, fault }));
    let panic = std::panic::catch_unwind(run).err()?;
    Some(panic.downcast_ref::<String>().cloned().unwrap_or_default())
}

#[test]
fn a_balancer_without_fault_passes_and_each_fault_is_found() {
    assert_eq!(verdict(Fault::None), None);
    let faults = [
        (Fault::Overflow, "with large margins"),
        (Fault::Gradient, "gradient of"),
        (Fault::Order, "modalities in another order"),
        (Fault::Silent, "numbers of 0 modalities"),
        (Fault::Wordless, "a ratio without words"),
        (Fault::Replaces, "whether it replaces the ranking loss"),
        (Fault::Forgets, "`save_state` and `load_state` leave something out"),
    ];
    for (fault, said) in faults {
        let found = verdict(fault).unwrap_or_else(|| panic!("{fault:?} was not found"));
        assert!(found.contains(said), "{fault:?}: {found}");
    }
}

#[test]
fn an_effect_at_strength_zero_is_found() {
    let panic = std::panic::catch_unwind(|| suite::check(&Strong::ENTRY)).expect_err("it has an effect");
    assert!(panic.downcast_ref::<String>().is_some_and(|text| text.contains("strength 0")));
}
