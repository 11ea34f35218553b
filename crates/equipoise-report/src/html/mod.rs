//! The report as one page that needs nothing else: no script, no font, no request.

use maud::{Markup, html};

use self::document::{breakless, colour, document, prose, section};
use crate::audit::Audit;
use crate::fusion::{calibrated, weaker};
use crate::headline::headline;
use crate::verdict::{
    CONTENT_GAIN, EXCEEDS_ABOVE, ModalityVerdict, REMOVAL_LOSS, Tone, UNDER_USED_BELOW, Verdict, verdicts,
};
use crate::words::{count, name, number, percent};

mod bars;
mod curves;
pub(crate) mod document;
pub(crate) mod lines;
pub(crate) mod picture;
pub(crate) mod scale;
mod tables;

/// A complete HTML document: verdicts, charts as inline SVG, tables, definitions, configuration.
///
/// It makes no request, follows the reader's light or dark preference, stacks on a phone and
/// prints. All names are escaped; values that are not finite are shown as `–` and not drawn.
#[must_use]
pub fn html_report(audit: &Audit) -> String {
    let judged = verdicts(audit);
    document(&format!("Imbalance report: {}", name(&audit.run)), "", &body(audit, &judged))
}

/// The curves of the report's training and balancing as one SVG file; `None` if the run recorded none.
#[must_use]
pub fn svg_report(audit: &Audit) -> Option<String> {
    let mut panels = curves::training(audit);
    if curves::has_balancing(audit) {
        panels.extend(curves::balancing(audit));
    }
    picture::picture(&[panels])
}

fn body(audit: &Audit, judged: &[ModalityVerdict]) -> Markup {
    html! {
        header {
            p.kicker { "Imbalance report" }
            h1 { (name(&audit.run)) }
            p.headline { (prose(&headline(audit))) }
            (tables::facts(audit))
        }
        main {
            (section("Channels against teachers", &channels_intro(audit), html! {
                (tables::figures(audit))
                (bars::render(audit))
            }))
            @if !judged.is_empty() {
                (section("Verdicts", "", cards(judged)))
            }
            (section("Training", &training_intro(audit), lines::grid(&curves::training(audit))))
            @if curves::has_balancing(audit) {
                (section("Balancing", crate::quantities::of(&audit.balance).intro, curves::balancing_section(audit)))
            }
            (section("Numbers", "", numbers(audit, judged)))
            (section("How to read this", "", reading(audit)))
            @if !audit.config_toml.is_empty() {
                details {
                    summary { "Resolved configuration" }
                    pre tabindex="0" { code { (audit.config_toml) } }
                }
            }
        }
        footer { "Equipoise " (name(&audit.version)) }
    }
}

fn channels_intro(audit: &Audit) -> String {
    let weights = match audit.calibrated() {
        Some(found) if weaker(audit).is_none() => format!(" {}", calibrated(audit, found)),
        _ => String::new(),
    };
    format!(
        "{} on the {} split. A channel is this model with all other modalities silenced; its teacher \
         is the same architecture trained with that modality alone.{weights}",
        name(&audit.metric),
        name(&audit.split)
    )
}

fn training_intro(audit: &Audit) -> String {
    format!("Validation {} over epochs, all on one scale.", name(&audit.metric))
}

fn cards(judged: &[ModalityVerdict]) -> Markup {
    html! {
        div.cards {
            @for (i, verdict) in judged.iter().enumerate() {
                @let (sign, tone) = tone(verdict);
                article class={ "card " (colour(i)) } {
                    h3 { (name(&verdict.modality)) }
                    p class={ "chip " (tone) } { span aria-hidden="true" { (sign) } " " (verdict.verdict.label()) }
                    @if let Some((share, of)) = key_figure(verdict) {
                        p.ratio { (breakless(&percent(share))) small { " " (of) } }
                    }
                    p { (prose(&verdict.sentence)) }
                }
            }
        }
    }
}

/// The one number that the verdict turns on. Where the content is silent, a channel as good as its
/// teacher is no achievement, so that the content's share is shown instead.
fn key_figure(verdict: &ModalityVerdict) -> Option<(f64, &'static str)> {
    match verdict.verdict {
        Verdict::Noise | Verdict::OnlyTogether => {
            verdict.content.map(|share| (share, "of its teacher is content"))
        }
        _ => verdict.ratio.map(|ratio| (ratio, "of its teacher")),
    }
}

/// A sign and a class: tone is never told by colour alone.
fn tone(verdict: &ModalityVerdict) -> (&'static str, &'static str) {
    match verdict.verdict.tone() {
        Tone::Good => ("✓", "good"),
        Tone::Attention => ("!", "attention"),
        Tone::Neutral => ("?", "neutral"),
    }
}

fn numbers(audit: &Audit, judged: &[ModalityVerdict]) -> Markup {
    html! {
        @if !judged.is_empty() { (tables::modalities(audit, judged)) }
        @if !audit.metrics.is_empty() { (tables::metrics(audit)) }
        @if let Some(text) = audit.says_nothing() { p { strong { "These say nothing. " } (text) } }
    }
}

fn reading(audit: &Audit) -> Markup {
    let error = crate::verdict::standard_error(audit.whole, audit.evaluated_users);
    html! {
        p {
            "A channel below " (threshold(UNDER_USED_BELOW)) " of its teacher is under-used, above "
            (threshold(EXCEEDS_ABOVE)) " it exceeds it. A modality whose content gives its own teacher less than "
            (threshold(CONTENT_GAIN)) " carries no signal, and one without which the whole model loses no more than "
            (threshold(REMOVAL_LOSS)) " is redundant. What the content gives its teacher is at most the difference to the teacher’s IDs, "
            "which were trained beside it and would know more alone. Differences within two standard errors are not called "
            "differences: those of the users’ own differences, or, where they are not at hand, of √(r(1−r)/n) for each of two means r over n users"
            @if error.is_finite() {
                ", here " (number(error)) " for the whole model over " (count(audit.evaluated_users)) " users"
            }
            ". It measures the choice of users, not the spread between seeds."
        }
        @if !audit.definitions.is_empty() {
            dl.definitions {
                @for (term, meaning) in &audit.definitions {
                    dt { (name(term)) }
                    dd { (meaning) }
                }
            }
        }
    }
}

/// A threshold is a round number: it needs no decimals.
fn threshold(share: f64) -> String {
    format!("{:.0}\u{a0}%", share * 100.0)
}
