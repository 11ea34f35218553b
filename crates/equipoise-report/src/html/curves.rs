//! Which curves go on which panel: training curves, and the balancer's quantities over epochs.

use maud::{Markup, html};

use super::document::colour;
use super::lines::{Line, Panel, grid, points};
use crate::audit::{Audit, AuditEpoch, value_of};
use crate::quantities::{self, Quantity};
use crate::words::{name, percent, short_name};

/// Pairs `(modality, value)` of one epoch.
type Pairs = fn(&AuditEpoch) -> &[(String, f64)];

/// The whole model, then each channel against its teacher, on a shared vertical axis.
pub(super) fn training(audit: &Audit) -> Vec<Panel> {
    let mut panels = vec![whole_panel(audit)];
    panels.extend((0..audit.modalities.len()).map(|i| channel_panel(audit, i)));
    let reach: Vec<f64> = panels
        .iter()
        .flat_map(|panel| &panel.lines)
        .flat_map(|line| line.points.iter().map(|p| p.1))
        .collect();
    for panel in &mut panels {
        panel.reach.clone_from(&reach);
    }
    panels
}

/// The balancer's quantities, one line per modality.
pub(super) fn balancing(audit: &Audit) -> Vec<Panel> {
    let names = quantities::of(&audit.balance);
    let shown: [(Option<Quantity>, Pairs); 3] =
        [(Some(names.weight), |r| &r.weights), (names.ratio, |r| &r.rho), (names.effect, |r| &r.effects)];
    let panel = |(quantity, pairs): (Option<Quantity>, Pairs)| {
        quantity.map(|q| Panel {
            title: format!("{} {}", q.title, q.symbol),
            summary: format!("{}, over epochs.", q.meaning),
            lines: per_modality(audit, pairs),
            reach: Vec::new(),
        })
    };
    shown.into_iter().filter_map(panel).collect()
}

/// The charts of the balancer's quantities, and what they leave out.
pub(super) fn balancing_section(audit: &Audit) -> Markup {
    html! {
        (grid(&balancing(audit)))
        @if let Some(note) = guard_note(audit) { p.note { (note) } }
    }
}

/// Whether any epoch recorded any of the balancer's quantities.
pub(super) fn has_balancing(audit: &Audit) -> bool {
    audit.history.iter().any(|r| !(r.weights.is_empty() && r.rho.is_empty() && r.effects.is_empty()))
}

fn whole_panel(audit: &Audit) -> Panel {
    let validation =
        |history: &[AuditEpoch]| points(history.iter().filter_map(|r| Some((r.epoch, r.validation?))));
    let mut lines = Vec::new();
    if let Some(plain) = &audit.plain {
        lines.push(line("plain", "plain", validation(&plain.history)));
    }
    lines.push(line("this run", "ink", validation(&audit.history)));
    Panel {
        title: "Whole model".into(),
        summary: format!("Validation {} over epochs.", audit.metric),
        lines,
        reach: Vec::new(),
    }
}

fn channel_panel(audit: &Audit, index: usize) -> Panel {
    let modality = &audit.modalities[index].name;
    let channel = |history: &[AuditEpoch]| {
        points(history.iter().filter_map(|r| Some((r.epoch, value_of(&r.channels, modality)?))))
    };
    let teacher = audit
        .teacher_history
        .iter()
        .filter(|curve| curve.modality == *modality)
        .flat_map(|curve| curve.points.iter().copied());
    let mut lines = Vec::new();
    if let Some(plain) = &audit.plain {
        lines.push(line("plain", "plain", channel(&plain.history)));
    }
    let class = colour(index);
    lines.push(line("teacher", &format!("{class} dashed"), points(teacher)));
    lines.push(line("channel", &class, channel(&audit.history)));
    Panel {
        title: short_name(modality, 40),
        summary: format!(
            "Validation {} of the {modality} channel over epochs, with its teacher dashed.",
            audit.metric
        ),
        lines,
        reach: Vec::new(),
    }
}

fn per_modality(audit: &Audit, pairs: Pairs) -> Vec<Line> {
    let modalities = audit.modalities.iter().enumerate();
    modalities
        .map(|(i, modality)| {
            let recorded =
                audit.history.iter().filter_map(|r| Some((r.epoch, value_of(pairs(r), &modality.name)?)));
            line(&short_name(&modality.name, 10), &colour(i), points(recorded))
        })
        .collect()
}

fn line(label: &str, class: &str, points: Vec<(f64, f64)>) -> Line {
    Line { label: label.into(), class: class.into(), points }
}

/// How often the guards of `rho` stepped in during the last epoch, where they did.
fn guard_note(audit: &Audit) -> Option<String> {
    let last = audit.history.last()?;
    let active: Vec<String> = last
        .clamped
        .iter()
        .filter(|(_, share)| share.is_finite() && *share > 0.0)
        .map(|(modality, share)| format!("{} in {}", name(modality), percent(*share)))
        .collect();
    (!active.is_empty()).then(|| {
        format!(
            "In the last epoch {} was out of bounds and held at its limit for {} of the steps.",
            quantities::of(&audit.balance).ratio.map_or("a ratio", |ratio| ratio.symbol),
            active.join(", ")
        )
    })
}
