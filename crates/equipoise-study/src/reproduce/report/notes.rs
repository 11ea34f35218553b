//! What a reader must know to judge the numbers.

use super::super::departures::departures;
use super::super::paper::{Paper, PaperAxis};
use super::super::plan::{ReproductionPlan, SEARCH_SEED};
use super::super::results::{DataBlock, is_teacher};
use super::super::settings::{compose, words};
use super::edges::edges;
use super::sheet::{backbone, dataset};
use crate::search::Point;
use std::collections::BTreeSet;

/// What stands below the tables.
pub struct Notes {
    /// What differs from the paper's set-up, a sentence each.
    pub differences: Vec<String>,
    /// How the numbers were made and tested, a sentence each.
    pub reading: Vec<String>,
    /// What was chosen on validation: data set, backbone, method, settings, validation metric.
    pub chosen: Vec<[String; 5]>,
    /// What is missing, and why: the cell and the reason.
    pub problems: Vec<(String, String)>,
}

/// Which seeds measure a point of a search.
fn of_seeds(plan: &ReproductionPlan) -> String {
    match plan.search_seeds.get() {
        1 => format!("seed {SEARCH_SEED} alone"),
        n => format!("the mean over seeds {SEARCH_SEED} to {}", SEARCH_SEED + n - 1),
    }
}

impl Notes {
    /// The notes of a plan and its results.
    pub fn new(paper: &Paper, plan: &ReproductionPlan, blocks: &[DataBlock]) -> Notes {
        let mut differences: Vec<String> = plan.data.iter().flat_map(|d| d.differences(paper)).collect();
        differences.push(format!(
            "Search: {}, on validation, with {}; the paper's grid also has a dropout rate.",
            plan.budget.summary,
            of_seeds(plan)
        ));
        if !plan.user.settings().is_empty() {
            differences.push(format!("Set by hand for every run, and not searched: {}.", words(&plan.user)));
        }
        differences.extend(of_settings(paper, plan));
        differences.extend(paper.differences.iter().cloned());
        Notes {
            differences,
            reading: reading(paper, plan, blocks),
            chosen: chosen(paper, blocks),
            problems: problems(blocks),
        }
    }
}

/// What the settings of the methods do otherwise than the paper's text, each once.
fn of_settings(paper: &Paper, plan: &ReproductionPlan) -> Vec<String> {
    let mut list = Vec::new();
    for cell in &plan.cells {
        let none = Point::new(Vec::new());
        let config = compose(paper, &cell.backbone, &cell.method, [&none, &none], &plan.user);
        // The row of teachers is no method, and settings that do not go together are told where they are used.
        let sentences = config.map(|config| departures(&config, &plan.data)).unwrap_or_default();
        for sentence in sentences {
            if !list.contains(&sentence) {
                list.push(sentence);
            }
        }
    }
    list
}

fn reading(paper: &Paper, plan: &ReproductionPlan, blocks: &[DataBlock]) -> Vec<String> {
    let reference = paper.method_title(&plan.table.reference);
    let mut list = vec![
        format!(
            "Test metrics of the models that validation selected, mean ± standard deviation over {}; exact ranking \
             over all items but those of the user's train split.",
            seeds(plan.seeds)
        ),
        format!(
            "Change is relative to {reference}, of means over the seeds that both have; 95 %: the middle of that change when users and \
             seeds are drawn anew, together. p: paired t tests against {reference}, \
             over users (each user's mean over seeds) and over seeds, each family corrected after Holm for all comparisons \
             on this page. Tests over thousands of users call tiny differences significant and ignore the spread between seeds."
        ),
        "Epochs, seconds per epoch (steps alone) and peak memory of a process, which trains one model (teachers: all of them in \
         turn), are means over seeds."
            .into(),
    ];
    if plan.seeds < 5 {
        list.push("Fewer than five seeds: tests over seeds have little power.".into());
    }
    if blocks.iter().flat_map(|b| &b.rows).any(|r| r.published.iter().flatten().any(|p| p.likely.is_some())) {
        list.push(
            "0.0022 (0.022?): a published number that is probably a misprint, and what was probably meant; it takes no part in changes."
                .into(),
        );
    }
    for block in blocks {
        let mut results = block.rows.iter().flat_map(|row| row.measured.values());
        if let Some(text) = results.find_map(|result| result.says_nothing.as_ref()) {
            list.push(format!("On {} these metrics say nothing: {text}.", dataset(paper, &block.dataset)));
        }
    }
    list.extend(edges(paper, blocks));
    for (method, axes) in axes_in_words(paper, plan) {
        list.push(format!("Searched for {}: {axes}.", paper.method_title(&method)));
    }
    list
}

/// The seeds in words.
pub(super) fn seeds(n: u64) -> String {
    if n == 1 { "seed 1".into() } else { format!("seeds 1 to {n}") }
}

/// What is searched, by method: those of the cells, and those whose search theirs start from.
fn axes_in_words(paper: &Paper, plan: &ReproductionPlan) -> Vec<(String, String)> {
    let methods: BTreeSet<&str> = plan.cells.iter().flat_map(|cell| paper.searches(&cell.method)).collect();
    let axis = |a: &PaperAxis| {
        let values: Vec<String> = a.values.iter().map(ToString::to_string).collect();
        let times: Vec<String> = a.times.iter().map(|f| format!("×{f}")).collect();
        format!("{} in {{{}}}", a.key, [values, times].concat().join(", "))
    };
    let of = |method: &str| (method.to_owned(), plan.axes(method).map(axis).collect::<Vec<_>>().join("; "));
    methods.into_iter().map(of).filter(|(_, words)| !words.is_empty()).collect()
}

fn chosen(paper: &Paper, blocks: &[DataBlock]) -> Vec<[String; 5]> {
    let mut list = Vec::new();
    for row in blocks.iter().flat_map(|b| &b.rows).filter(|r| !is_teacher(r)) {
        if let Ok(chosen) = &row.settled.chosen {
            let cell = &row.settled.cell;
            list.push([
                dataset(paper, &cell.dataset),
                backbone(paper, &cell.backbone),
                paper.method_title(&cell.method),
                words(&chosen.point()),
                chosen.found.value.map_or_else(|| "–".into(), |v| format!("{v:.4}")),
            ]);
        }
    }
    list
}

fn problems(blocks: &[DataBlock]) -> Vec<(String, String)> {
    let rows = blocks.iter().flat_map(|b| &b.rows);
    let mut list: Vec<(String, String)> = rows
        .clone()
        .flat_map(|r| r.problems.iter().map(|p| (r.settled.cell.to_string(), p.to_string())))
        .collect();
    for row in rows {
        if let Ok(chosen) = &row.settled.chosen {
            list.extend(chosen.found.tried.iter().filter_map(|tried| {
                let why = tried.result.as_ref().err()?;
                Some((row.settled.cell.to_string(), format!("search at {}: {why}", words(&tried.point))))
            }));
        }
    }
    list
}
