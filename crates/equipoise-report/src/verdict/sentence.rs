//! A verdict in words, with the numbers that led to it.

use super::evidence::Evidence;
use super::kinds::Verdict;
use super::thresholds::UNDER_USED_BELOW;
use crate::words::{change, count, name, number, percent};

/// One to three sentences on `modality`.
pub(super) fn write(modality: &str, verdict: Verdict, evidence: &Evidence) -> String {
    let judged = judgement(&name(modality), verdict, evidence);
    match before(verdict, evidence) {
        Some(before) => format!("{judged} {before}"),
        None => judged,
    }
}

/// What the same channel reached without balancing, where its content carries a signal.
fn before(verdict: Verdict, evidence: &Evidence) -> Option<String> {
    if matches!(verdict, Verdict::Noise | Verdict::NoTeacher | Verdict::Inconclusive) {
        return None;
    }
    let (plain, teacher) = (evidence.plain?, evidence.teacher.filter(|&t| t > 0.0)?);
    Some(format!(
        "Trained without balancing it reached {} of that teacher ({}).",
        percent(plain / teacher),
        number(plain)
    ))
}

fn judgement(m: &str, verdict: Verdict, evidence: &Evidence) -> String {
    match verdict {
        Verdict::Balanced => format!(
            "The {m} channel reaches {} of what its teacher shows is there, and {}.",
            reached(evidence),
            removal(evidence)
        ),
        Verdict::ExceedsTeacher => format!(
            "The {m} channel reaches {} of its teacher: trained together, it learned more than \
             alone; {}.",
            reached(evidence),
            removal(evidence)
        ),
        Verdict::UnderUsed => format!(
            "The {m} channel reaches {} of what its teacher shows is there ({} of {}); {}.",
            reached(evidence),
            shown(evidence.channel),
            shown(evidence.teacher),
            removal(evidence)
        ),
        Verdict::Redundant => format!(
            "The {m} channel reaches {} of its teacher, but {}: the IDs or the other modalities \
             already carry what it knows.",
            reached(evidence),
            removal(evidence)
        ),
        Verdict::Harms => format!(
            "The {m} channel reaches {} of its teacher, but {}: it costs more than it gives.",
            reached(evidence),
            removal(evidence)
        ),
        Verdict::Noise => format!(
            "The {m} modality behaves like noise: {}; {}.",
            silent_teacher(evidence),
            removal(evidence)
        ),
        Verdict::OnlyTogether => format!(
            "Alone, the {m} modality adds nothing: {}. Yet {}: it helps only in company, or serves \
             the model as a second set of IDs.",
            silent_teacher(evidence),
            removal(evidence)
        ),
        Verdict::NoTeacher => no_teacher(m, evidence),
        Verdict::Inconclusive => inconclusive(m, evidence),
    }
}

fn shown(value: Option<f64>) -> String {
    number(value.unwrap_or(f64::NAN))
}

fn reached(evidence: &Evidence) -> String {
    percent(evidence.ratio().unwrap_or(f64::NAN))
}

/// What silencing the modality does to the whole model.
fn removal(evidence: &Evidence) -> String {
    let (Some(whole), Some(without)) = (evidence.whole, evidence.without) else {
        return "what the whole model loses without it was not measured".into();
    };
    let step = format!("{} to {}", number(whole), number(without));
    if evidence.removal_helps() {
        return format!("the whole model is better without it ({step})");
    }
    if evidence.removal_hurts() {
        let loss = percent((whole - without) / whole);
        return format!("the whole model loses {loss} without it ({step})");
    }
    format!("the whole model loses nothing measurable without it ({step})")
}

/// Why the teacher is said to find nothing in the content.
fn silent_teacher(evidence: &Evidence) -> String {
    let teacher = shown(evidence.teacher);
    match evidence.teacher_ids_only {
        Some(ids) => {
            format!("its teacher finds no more with it ({teacher}) than with it silenced ({})", number(ids))
        }
        None => format!(
            "neither its teacher ({teacher}) nor its channel ({}) finds more than the IDs alone ({})",
            shown(evidence.channel),
            shown(evidence.ids_only)
        ),
    }
}

fn no_teacher(m: &str, evidence: &Evidence) -> String {
    let gain = match (evidence.channel, evidence.ids_only) {
        (Some(channel), Some(ids)) if ids > 0.0 => {
            format!(", {} against the IDs alone ({})", change(ids, channel), number(ids))
        }
        _ => String::new(),
    };
    format!(
        "How much of {m} is left unused is unknown, for it has no teacher to compare with \
         (`equipoise train --balance ckd` trains one). Its channel reaches {}{gain}; {}.",
        shown(evidence.channel),
        removal(evidence)
    )
}

fn inconclusive(m: &str, evidence: &Evidence) -> String {
    if evidence.users == 0 {
        return format!("Nothing can be said about {m}: no user was evaluated.");
    }
    let (Some(channel), Some(teacher)) = (evidence.channel, evidence.teacher) else {
        return format!("Nothing can be said about {m}: it has no measured value above zero.");
    };
    if teacher <= 0.0 {
        return format!(
            "Nothing can be said about {m}: its teacher finds nothing at all, so that it failed to \
             train or the split has too few interactions."
        );
    }
    if channel / teacher >= UNDER_USED_BELOW && !evidence.too_coarse() {
        return format!(
            "The {m} channel reaches {} of its teacher, but {}: whether it is of use beside the rest does not show.",
            reached(evidence),
            removal(evidence)
        );
    }
    format!(
        "The {m} channel reaches {} of its teacher, but {} users show no measurable difference \
         below {} of it: evaluate more users before acting on this.",
        reached(evidence),
        count(evidence.users),
        percent(evidence.resolution(teacher, channel) / teacher)
    )
}
