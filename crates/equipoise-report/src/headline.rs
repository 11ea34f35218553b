//! The run in one or two sentences.

use crate::audit::{Audit, finite};
use crate::broken::{harmed, level_with_ids, loud};
use crate::fusion::weaker;
use crate::verdict::{ModalityVerdict, Verdict, tolerance, verdicts};
use crate::words::{capitalised, change, list, name, number, percent};

/// A few sentences for the terminal and the top of the page: first whether the whole model is worse than one of its channels, than
/// itself without a modality, or no better than ids alone, and what to do about it; then which modality does not pull its
/// weight, then how the whole model stands.
#[must_use]
pub fn headline(audit: &Audit) -> String {
    let modalities = verdicts(audit);
    let sentences = [
        weaker(audit),
        harmed(audit),
        level_with_ids(audit),
        loud(audit),
        Some(balance_sentence(&modalities)),
        standing_sentence(audit),
    ];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn balance_sentence(all: &[ModalityVerdict]) -> String {
    if all.is_empty() {
        return "No modality changes the scores of this model: there is nothing to balance.".into();
    }
    if all.iter().all(|v| v.verdict == Verdict::NoTeacher) {
        return "Whether every modality pulls its weight is unknown: no teachers were trained \
                (`equipoise train --balance ckd` trains them)."
            .into();
    }
    if all.iter().all(|v| pulls(v.verdict)) {
        return everyone_pulls(all);
    }
    let clauses: Vec<String> = [
        Verdict::Harms,
        Verdict::UnderUsed,
        Verdict::Noise,
        Verdict::OnlyTogether,
        Verdict::Redundant,
        Verdict::Inconclusive,
        Verdict::NoTeacher,
    ]
    .into_iter()
    .filter_map(|verdict| clause(all, verdict))
    .chain(pulling_clause(all))
    .collect();
    capitalised(&format!("{}.", clauses.join("; ")))
}

fn pulls(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Balanced | Verdict::ExceedsTeacher)
}

fn everyone_pulls(all: &[ModalityVerdict]) -> String {
    let parts: Vec<String> =
        all.iter().map(|v| format!("{} reaches {}", name(&v.modality), ratio(v))).collect();
    let teachers = if all.len() == 1 { "its teacher" } else { "their teachers" };
    format!("Every modality pulls its weight: {} of {teachers}.", list(&parts))
}

fn clause(all: &[ModalityVerdict], verdict: Verdict) -> Option<String> {
    let those: Vec<&ModalityVerdict> = all.iter().filter(|v| v.verdict == verdict).collect();
    if those.is_empty() {
        return None;
    }
    let names = list(&those.iter().map(|v| name(&v.modality)).collect::<Vec<_>>());
    let many = those.len() > 1;
    let (is, has, behaves, pronoun) =
        if many { ("are", "have", "behave", "them") } else { ("is", "has", "behaves", "it") };
    Some(match verdict {
        Verdict::UnderUsed if many => format!(
            "{names} are under-used: their channels reach {} of what their teachers show is there",
            list(&those.iter().map(|v| ratio(v)).collect::<Vec<_>>())
        ),
        Verdict::UnderUsed => format!(
            "the {names} channel is under-used: it reaches {} of what its teacher shows is there",
            ratio(those[0])
        ),
        Verdict::Harms if many => format!("{names} cost more than they give"),
        Verdict::Harms => format!("{names} costs more than it gives"),
        Verdict::Noise if those.iter().all(|v| v.content.is_some()) => {
            let knows = if many { "their teachers know" } else { "its teacher knows" };
            format!("{names} {behaves} like noise: {knows} nothing of {pronoun}")
        }
        Verdict::Noise => format!("{names} {behaves} like noise"),
        Verdict::OnlyTogether => {
            format!("{names} {has} no signal alone, yet the model needs {pronoun}")
        }
        Verdict::Redundant => format!("{names} {is} redundant beside the rest"),
        Verdict::NoTeacher => format!("{names} {has} no teacher to compare with"),
        _ => format!("nothing certain can be said about {names}"),
    })
}

fn pulling_clause(all: &[ModalityVerdict]) -> Option<String> {
    let names: Vec<String> = all.iter().filter(|v| pulls(v.verdict)).map(|v| name(&v.modality)).collect();
    match names.len() {
        0 => None,
        1 => Some(format!("{} pulls its weight", names[0])),
        _ => Some(format!("{} pull their weight", list(&names))),
    }
}

fn ratio(verdict: &ModalityVerdict) -> String {
    percent(verdict.ratio.unwrap_or(f64::NAN))
}

/// A failure to beat popularity outranks the comparison with the plain run.
fn standing_sentence(audit: &Audit) -> Option<String> {
    let whole = finite(audit.whole)?;
    let n = audit.evaluated_users;
    let metric = name(&audit.metric);
    if let Some(floor) = audit.popularity.and_then(finite)
        && whole - floor <= tolerance(whole, floor, n, None)
    {
        return Some(format!(
            "The whole model ({metric} {}) does not measurably beat recommending by popularity \
             ({}): mend that first.",
            number(whole),
            number(floor)
        ));
    }
    if let Some(plain) = audit.plain_whole() {
        let sentences = [Some(against_plain(audit, plain, whole)), against_calibrated(audit, plain)];
        return Some(sentences.into_iter().flatten().collect::<Vec<_>>().join(" "));
    }
    Some(format!("The whole model reaches {metric} {}.", number(whole)))
}

fn against_plain(audit: &Audit, plain: f64, whole: f64) -> String {
    let step = format!("from {} to {}", number(plain), number(whole));
    let metric = name(&audit.metric);
    let paired = audit.plain.as_ref().and_then(|p| p.error);
    if (whole - plain).abs() <= tolerance(whole, plain, audit.evaluated_users, paired) {
        return format!(
            "Against training without balancing, {metric} moves {step}: no measurable difference."
        );
    }
    let verb = if whole > plain { "rises" } else { "falls" };
    format!("Against training without balancing, {metric} {verb} {step} ({}).", change(plain, whole))
}

/// What weights that are chosen after training make of the plain model: that costs no teacher.
fn against_calibrated(audit: &Audit, plain: f64) -> Option<String> {
    let value = audit.plain_calibrated().filter(|value| *value != plain)?;
    let own = match audit.calibrated().map(|found| found.value).filter(|own| *own != audit.whole) {
        Some(own) => format!("; with its own the balanced model has {}", number(own)),
        None => String::new(),
    };
    Some(format!(
        "The plain model with weights of its modalities that validation chose after training has {}{own}.",
        number(value)
    ))
}
