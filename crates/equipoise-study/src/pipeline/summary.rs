//! What a pipeline found, in words and numbers.

use super::error::PipelineError;
use super::settings::Method;
use equipoise_data::Loaded;
use equipoise_eval::paired_t;
use equipoise_recommend::{Calibration, FoldInChoice, ServedModel};
use equipoise_report::compare::compare;
use equipoise_report::words::{change, count, list, name, number, percent};
use equipoise_report::{Audit, ModalityVerdict, headline, verdicts};
use equipoise_train::Run;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Test values of one seed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seeded {
    /// The seed.
    pub seed: u64,
    /// The plain model's.
    pub plain: f64,
    /// CKD's.
    pub ckd: f64,
}

/// One modality in both models, first seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// Its name.
    pub modality: String,
    /// The metric of its channel in the plain model; absent where it was not measured, as below.
    pub plain: Option<f64>,
    /// In CKD.
    pub ckd: Option<f64>,
    /// Of its teacher.
    pub teacher: Option<f64>,
    /// The judgement on the plain model, in two or three words and a sentence.
    pub plain_verdict: (String, String),
    /// The judgement on CKD.
    pub ckd_verdict: (String, String),
}

/// How sure it is that CKD differs from the plain model, over the test users of the first seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Surety {
    /// Users compared.
    pub users: usize,
    /// Two-sided p-value of the paired t test over users in the metric that was chosen beforehand, which is tested alone; absent
    /// where users do not differ, and in summaries of earlier versions.
    #[serde(default)]
    pub p_t: Option<f64>,
    /// Other metrics, a family of their own.
    #[serde(default)]
    pub others: usize,
    /// Those of them in which the models differ at 5 %, corrected after Holm.
    #[serde(default)]
    pub others_differ: usize,
    /// Two-sided p-value of Wilcoxon's signed-rank test.
    pub p_wilcoxon: Option<f64>,
}

/// What a pipeline found; `summary.json` has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of the file.
    pub version: u32,
    /// The data set's name.
    pub dataset: String,
    /// The backbone.
    pub backbone: String,
    /// The metric, on test.
    pub metric: String,
    /// Which modality the plain model does not use, in a sentence or two.
    pub diagnosis: String,
    /// What CKD makes of it, in a sentence or two.
    pub outcome: String,
    /// Each modality.
    pub modalities: Vec<Used>,
    /// Each seed.
    pub seeds: Vec<Seeded>,
    /// Whether the models differ, user by user.
    pub surety: Surety,
    /// Two-sided p-value of the paired t test over seeds, from three seeds on.
    pub p_seeds: Option<f64>,
    /// The model that is served; absent in summaries of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served: Option<Kept>,
}

/// The model that is served: the better of the first seed's on validation, each with weights chosen there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Its name: method and seed.
    pub name: String,
    /// Weights of its modalities.
    pub weights: BTreeMap<String, f64>,
    /// How they were found, on validation.
    pub calibration: Option<Calibration>,
    /// How strangers are folded in, and how that was chosen.
    pub fold_in: Option<FoldInChoice>,
    /// The metric on test with the weights, measured once they were chosen.
    pub test: Option<f64>,
    /// The model that is not served, calibrated alike; absent without modalities, and in summaries of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<NotServed>,
}

/// The model of the first seed that is not served, with weights that validation chose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotServed {
    /// Its name: method and seed.
    pub name: String,
    /// How its weights were found, on validation.
    pub calibration: Calibration,
    /// The metric on test with the weights, measured once they were chosen.
    pub test: Option<f64>,
}

/// At most this is called a difference.
const LEVEL: f64 = 0.05;
/// Fewest seeds for a test over seeds.
const SEEDS: usize = 3;

/// Reads runs (seed, plain, CKD) and sets them side by side; the audit is CKD's of the first seed. Where scales of the features
/// were compared, `scales_compared`, none is advised.
///
/// # Errors
/// If a file of a run is missing or damaged.
pub(super) fn summarise(
    runs: &[(u64, Run, Run)],
    served: &ServedModel,
    considered: &BTreeMap<String, Calibration>,
    loaded: &Loaded,
    scales_compared: bool,
) -> Result<(Summary, Audit), PipelineError> {
    let (seed, plain_run, ckd_run) = runs.first().expect("a pipeline has a seed at least");
    let fused = |audit: Audit, run: &Run, method: Method| match considered.get(method.name()) {
        Some(found) => {
            let model = ServedModel::open(run.dir())?.with_calibration(found.clone())?;
            audit.with_fusion_of(run, &model, loaded)
        }
        None => audit.with_fusion(run, loaded),
    };
    let advised = |audit: Audit| if scales_compared { Audit { loudness: None, ..audit } } else { audit };
    let audit = advised(fused(Audit::from_run(ckd_run, Some(plain_run))?, ckd_run, Method::Ckd)?);
    let plain = advised(fused(Audit::from_run(plain_run, None)?, plain_run, Method::Plain)?);
    let plain = judged_by(plain, &audit);
    let audit = audit.beside(&plain);
    let ckd_is_served = served.name().name == format!("{}-seed{seed}", Method::Ckd.name());
    let (of_kept, of_other, other) =
        if ckd_is_served { (&audit, &plain, Method::Plain) } else { (&plain, &audit, Method::Ckd) };
    let test = |audit: &Audit| Some(audit.fusion.as_ref()?.calibrated.as_ref()?.value);
    let other = considered.get(other.name()).map(|calibration| NotServed {
        name: format!("{}-seed{seed}", other.name()),
        calibration: calibration.clone(),
        test: test(of_other),
    });
    let mut seeds = Vec::new();
    for (seed, plain, ckd) in runs {
        let value = |run: &Run| Ok::<_, PipelineError>(run.report()?.metric(&audit.metric).unwrap_or(0.0));
        seeds.push(Seeded { seed: *seed, plain: value(plain)?, ckd: value(ckd)? });
    }
    let summary = Summary {
        version: 1,
        dataset: audit.dataset.clone(),
        backbone: audit.backbone.clone(),
        metric: audit.metric.clone(),
        diagnosis: headline(&plain),
        outcome: headline(&audit),
        modalities: used(&plain, &audit),
        surety: surety(plain_run, ckd_run, &audit.metric)?,
        p_seeds: over_seeds(&seeds),
        served: Some(Kept::of(served, test(of_kept), other)),
        seeds,
    };
    Ok((summary, audit))
}

/// The plain model's audit with the teachers that were trained for CKD: they have the plain model's settings.
fn judged_by(mut plain: Audit, ckd: &Audit) -> Audit {
    for modality in &mut plain.modalities {
        if let Some(known) = ckd.modalities.iter().find(|m| m.name == modality.name) {
            (modality.teacher, modality.teacher_ids_only) = (known.teacher, known.teacher_ids_only);
        }
    }
    plain
}

impl Kept {
    fn of(model: &ServedModel, test: Option<f64>, other: Option<NotServed>) -> Kept {
        let settings = model.settings();
        Kept {
            name: model.name().name.clone(),
            weights: settings.weights.clone(),
            calibration: settings.calibration.clone(),
            fold_in: settings.fold_in.clone(),
            test,
            other,
        }
    }

    /// Which model is served, its weights and what they are worth, in a sentence or two.
    pub fn sentence(&self, metric: &str) -> String {
        let mut text =
            format!("Served is {}, the better model on validation, each with its weights.", name(&self.name));
        let Some(found) = &self.calibration else { return text };
        let weights: Vec<String> = self.weights.iter().map(|(m, w)| format!("{} {w}", name(m))).collect();
        let (before, after) = (number(found.whole), number(found.calibrated));
        text.push_str(&format!(
            " Its weights are {}: {} on validation, by which they were chosen, is {after} instead of {before}",
            list(&weights),
            name(&found.metric)
        ));
        match self.test {
            Some(value) => {
                text.push_str(&format!("; {} on test, measured once, is {}.", name(metric), number(value)))
            }
            None => text.push('.'),
        }
        if let Some(other) = &self.other {
            text.push_str(&other.sentence(metric));
        }
        text
    }
}

impl NotServed {
    fn sentence(&self, metric: &str) -> String {
        let on_validation = number(self.calibration.calibrated);
        let on_test = self
            .test
            .map_or_else(String::new, |value| format!(", {} on test is {}", name(metric), number(value)));
        format!(
            " With weights chosen alike, {} has {on_validation} on validation{on_test}.",
            name(&self.name)
        )
    }
}

fn used(plain: &Audit, ckd: &Audit) -> Vec<Used> {
    let (before, after) = (verdicts(plain), verdicts(ckd));
    let words = |verdict: &ModalityVerdict| (verdict.verdict.label().to_owned(), verdict.sentence.clone());
    let finite = |value: f64| value.is_finite().then_some(value);
    let each = plain.modalities.iter().zip(&ckd.modalities).zip(before.iter().zip(&after));
    each.map(|((p, c), (before, after))| Used {
        modality: c.name.clone(),
        plain: finite(p.channel),
        ckd: finite(c.channel),
        teacher: c.teacher.and_then(finite),
        plain_verdict: words(before),
        ckd_verdict: words(after),
    })
    .collect()
}

fn surety(plain: &Run, ckd: &Run, metric: &str) -> Result<Surety, PipelineError> {
    let compared = compare(plain, ckd)?;
    let row = compared.rows.iter().find(|row| row.metric == metric);
    let others = || compared.rows.iter().filter(|row| row.metric != metric);
    let finite = |value: f64| value.is_finite().then_some(value);
    Ok(Surety {
        users: compared.users,
        p_t: row.and_then(|row| finite(row.p_t)),
        others: others().count(),
        others_differ: others().filter(|row| row.p_t_holm <= LEVEL).count(),
        p_wilcoxon: row.and_then(|row| finite(row.p_wilcoxon)),
    })
}

fn over_seeds(seeds: &[Seeded]) -> Option<f64> {
    if seeds.len() < SEEDS {
        return None;
    }
    let of = |value: fn(&Seeded) -> f64| seeds.iter().map(value).collect::<Vec<_>>();
    paired_t(&of(|s| s.ckd), &of(|s| s.plain)).ok().map(|test| test.p_value).filter(|p| p.is_finite())
}

impl Summary {
    /// The models side by side, and how sure the difference is.
    pub fn comparison(&self) -> String {
        let (plain, ckd) = (self.mean(|s| s.plain), self.mean(|s| s.ckd));
        let metric = name(&self.metric);
        let over = if self.seeds.len() > 1 {
            format!(", means of {} seeds", self.seeds.len())
        } else {
            String::new()
        };
        let gain = if plain > 0.0 { format!(" ({})", change(plain, ckd)) } else { String::new() };
        let mut text = format!("Test {metric}: plain {}, CKD {}{gain}{over}.", number(plain), number(ckd));
        let Surety { users, others, others_differ, .. } = self.surety;
        let p = |p: Option<f64>| {
            p.map_or("p not defined".to_owned(), |p| {
                if p < 1e-4 { format!("p = {p:.1e}") } else { format!("p = {p:.4}") }
            })
        };
        let _ = write!(
            text,
            " Over the {} test users of seed {}: {}, paired t test {} (of this metric, which was chosen beforehand, alone), \
             Wilcoxon's signed-rank test {}. Of {others} other metrics, a family of their own, {others_differ} differ (p at most \
             {LEVEL} after Holm).",
            count(users),
            self.seeds.first().map_or(0, |s| s.seed),
            self.judgement(),
            p(self.surety.p_t),
            p(self.surety.p_wilcoxon)
        );
        match self.p_seeds {
            Some(over) => {
                let _ = write!(text, " Over {} seeds: paired t test {}.", self.seeds.len(), p(Some(over)));
            }
            None => text += " Fewer than three seeds say little of the spread between seeds (--seeds).",
        }
        text
    }

    fn judgement(&self) -> &'static str {
        let better = self.seeds.first().is_some_and(|s| s.ckd > s.plain);
        match self.surety.p_t {
            Some(p) if p <= LEVEL && better => "CKD is measurably better",
            Some(p) if p <= LEVEL => "CKD is measurably worse",
            _ => "no measurable difference",
        }
    }

    fn mean(&self, value: impl Fn(&Seeded) -> f64) -> f64 {
        self.seeds.iter().map(value).sum::<f64>() / self.seeds.len().max(1) as f64
    }

    /// Which modality the plain model uses by how much, a line each: channel, teacher and the share that is reached.
    pub fn usage(&self) -> Vec<String> {
        let line = |m: &Used| {
            let reached = |channel: Option<f64>| match (channel, m.teacher) {
                (Some(channel), Some(teacher)) if teacher > 0.0 => percent(channel / teacher),
                _ => "n/a".into(),
            };
            let name = name(&m.modality);
            format!(
                "{name}: {} in the plain model (reaches {} of its teacher), {} in CKD (reaches {})",
                m.plain_verdict.0,
                reached(m.plain),
                m.ckd_verdict.0,
                reached(m.ckd)
            )
        };
        self.modalities.iter().map(line).collect()
    }

    /// The summary as a page of Markdown.
    pub fn markdown(&self) -> String {
        let names: Vec<String> = self.modalities.iter().map(|m| name(&m.modality)).collect();
        let mut text = format!(
            "# {} with {}: plain and balanced\n\n{}\n\n## The plain model\n\n{}\n\n",
            name(&self.dataset),
            name(&self.backbone),
            self.comparison(),
            self.diagnosis
        );
        let sentences = |of: fn(&Used) -> &String| {
            self.modalities.iter().map(|m| format!("- {}\n", of(m))).collect::<String>()
        };
        text += &sentences(|m| &m.plain_verdict.1);
        let _ = write!(text, "\n## With counterfactual knowledge distillation\n\n{}\n\n", self.outcome);
        text += &sentences(|m| &m.ckd_verdict.1);
        let cell = |value: Option<f64>| value.map_or("-".into(), number);
        let _ = write!(
            text,
            "\n## Channels of {}\n\n{} of the trained model with every other modality silenced (test, seed {}); a teacher \
             is the same network trained with that modality alone.\n\n| modality | plain | CKD | teacher |\n|---|---|---|---|\n",
            list(&names),
            name(&self.metric),
            self.seeds.first().map_or(0, |s| s.seed)
        );
        for m in &self.modalities {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                name(&m.modality),
                cell(m.plain),
                cell(m.ckd),
                cell(m.teacher)
            );
        }
        if let Some(served) = &self.served {
            let _ = write!(text, "\n## Served model\n\n{}\n", served.sentence(&self.metric));
        }
        text += "\n## Seeds\n\n| seed | plain | CKD |\n|---|---|---|\n";
        for Seeded { seed, plain, ckd } in &self.seeds {
            let _ = writeln!(text, "| {seed} | {} | {} |", number(*plain), number(*ckd));
        }
        text
    }
}
