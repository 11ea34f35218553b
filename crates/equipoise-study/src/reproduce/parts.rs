//! What a whole model is made of and for whom it is good: its channels, and groups of items and users.

use equipoise_models::Ablation;
use equipoise_train::Report;
use equipoise_train::recall_by_group::CountGroup;

/// A metric of ids alone, of each channel, and of the model without each modality, as far as they were measured.
pub fn channels(report: &Report, metric: &str) -> Vec<(String, f64)> {
    let names = report.modality_names();
    let n = names.len();
    let channels = (0..n).map(|m| (names[m].to_owned(), Ablation::only(m, n)));
    let without = (0..n).map(|m| (format!("without {}", names[m]), Ablation::without(m)));
    let mut seen = Vec::new();
    let all = [("ids".to_owned(), Ablation::ids_only(n))].into_iter().chain(channels).chain(without);
    // Of one modality the channel is the whole model, and of the model without it ids are left.
    let apart = all.filter(|(_, ablation)| {
        let is_new = *ablation != Ablation::FULL && !seen.contains(ablation);
        seen.push(*ablation);
        is_new
    });
    apart.filter_map(|(label, ablation)| Some((label, report.metric_under(ablation, metric)?))).collect()
}

/// A metric for items of each popularity and users with short and long histories, as far as it was measured.
pub fn groups(report: &Report, metric: &str) -> Vec<(String, f64)> {
    let Some(test) = &report.test else { return Vec::new() };
    let of = |groups: &[CountGroup], what: &str| -> Vec<(String, f64)> {
        let label = |g: &CountGroup| format!("{} {what} ({})", g.name, counts(g.counts));
        groups.iter().filter_map(|g| Some((label(g), *g.metrics.get(metric)?))).collect()
    };
    [of(&test.recall_by_group.popularity, "items"), of(&test.recall_by_group.history, "histories")].concat()
}

fn counts([least, most]: [u32; 2]) -> String {
    if least == most { least.to_string() } else { format!("{least} to {most}") }
}
