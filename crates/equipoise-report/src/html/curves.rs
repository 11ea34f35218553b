//! Which curves go on which panel: training curves, and the balancer's quantities over epochs.

use maud::{Markup, html};

use super::document::colour;
use super::lines::{Line, Panel, grid, points};
use crate::audit::{Audit, AuditEpoch, IdsEpoch, value_of};
use crate::quantities::{self, Quantity};
use crate::words::{name, percent, short_name};

/// Pairs `(modality, value)` of one epoch.
type Pairs = fn(&AuditEpoch) -> &[(String, f64)];
/// The same number of the ids.
type OfIds = fn(&IdsEpoch) -> Option<f64>;

/// The whole model, then each channel against its teacher, on a shared vertical axis.
pub(super) fn training(audit: &Audit) -> Vec<Panel> {
    let mut panels = vec![whole_panel(audit)];
    panels.extend((0..audit.modalities.len()).map(|i| channel_panel(audit, i)));
    panels.extend(ids_panel(audit));
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
    let shown: [(Option<Quantity>, Pairs, OfIds); 3] = [
        (Some(names.weight), |r| &r.weights, |ids| ids.weight),
        (names.ratio, |r| &r.rho, |ids| ids.rho),
        (names.effect, |r| &r.effects, |ids| ids.effect),
    ];
    let panel = |(quantity, pairs, of_ids): (Option<Quantity>, Pairs, OfIds)| {
        quantity.map(|q| Panel {
            title: format!("{} {}", q.title, q.symbol),
            summary: format!("{}, over epochs.", q.meaning),
            lines: per_channel(audit, pairs, of_ids),
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

/// The ids alone, where their curve was recorded.
fn ids_panel(audit: &Audit) -> Option<Panel> {
    let channel =
        |history: &[AuditEpoch]| points(history.iter().filter_map(|r| Some((r.epoch, r.ids.channel?))));
    let own = channel(&audit.history);
    if own.is_empty() {
        return None;
    }
    let mut lines = Vec::new();
    if let Some(plain) = &audit.plain {
        lines.push(line("plain", "plain", channel(&plain.history)));
    }
    lines.push(line("channel", "ink", own));
    let summary = format!("Validation {} of the IDs alone over epochs.", audit.metric);
    Some(Panel { title: "IDs".into(), summary, lines, reach: Vec::new() })
}

/// A line for each modality, and one for the ids where they are a channel to the balancer.
fn per_channel(audit: &Audit, pairs: Pairs, of_ids: OfIds) -> Vec<Line> {
    let modalities = audit.modalities.iter().enumerate();
    let mut lines: Vec<Line> = modalities
        .map(|(i, modality)| {
            let recorded =
                audit.history.iter().filter_map(|r| Some((r.epoch, value_of(pairs(r), &modality.name)?)));
            line(&short_name(&modality.name, 10), &colour(i), points(recorded))
        })
        .collect();
    let ids = points(audit.history.iter().filter_map(|r| Some((r.epoch, of_ids(&r.ids)?))));
    if !ids.is_empty() {
        lines.push(line("IDs", "ink", ids));
    }
    lines
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
