//! How much there is to do.

use super::cells::{TEACHER, unsupported};
use super::paper::{Paper, SearchManner, TableKind};
use super::plan::ReproductionPlan;
use std::collections::BTreeSet;

/// How many tasks there will be, were none of them shared with another table.
pub fn expected(paper: &Paper, plan: &ReproductionPlan) -> usize {
    let (mut searches, mut finals, mut teachers) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for cell in &plan.cells {
        let method = if cell.method == TEACHER { "none" } else { &cell.method };
        if unsupported(paper, &cell.backbone, method).is_some() {
            continue;
        }
        let of = |what: &str| (cell.dataset.clone(), cell.backbone.clone(), what.to_owned());
        searches.extend(paper.searches(method).map(of));
        if cell.method == TEACHER || plan.table.kind == TableKind::Curves {
            teachers.insert(of("none"));
        }
        if paper.distils(method) {
            teachers.extend([of("none"), of("search")]);
        }
        if cell.method != TEACHER {
            finals.insert(of(method));
        }
    }
    // A point whose runs read that of the plain model has one trained for it.
    let of_point = |method: &str| 1 + usize::from(paper.reads_plain(method));
    let search_seeds = plan.seeds_of_search().len();
    let searched: usize = searches.iter().map(|(_, _, method)| points(plan, method) * of_point(method)).sum();
    let searched = searched * search_seeds;
    let trained =
        |key: &(String, String, String)| if key.2 == "search" { search_seeds } else { plan.seeds as usize };
    searched + finals.iter().chain(&teachers).map(trained).sum::<usize>()
}

/// How many points a method's search has.
fn points(plan: &ReproductionPlan, method: &str) -> usize {
    let lengths: Vec<usize> = plan.axes(method).map(|a| a.values.len().max(a.times.len())).collect();
    match plan.budget.how {
        // A single point is taken without a trial.
        _ if lengths.iter().all(|n| *n == 1) => 0,
        SearchManner::Grid => lengths.iter().product(),
        SearchManner::Coordinate => 1 + lengths.iter().map(|n| n - 1).sum::<usize>(),
    }
}
