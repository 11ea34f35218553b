//! What the pages of a repeated table show.

use super::super::compare::{Difference, differences};
use super::super::paper::{Paper, TableKind};
use super::super::plan::ReproductionPlan;
use super::super::results::{Curve, DataBlock, curves};
use super::notes::{self, Notes};
use super::parts_sheet;
use super::sheet::{self, Sheet};

/// The curves of one backbone on one data set.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Backbone and data set, in print.
    pub title: String,
    /// The seed that is drawn.
    pub seed: u64,
    /// Its curves.
    pub curves: Vec<Curve>,
}

/// Everything that the pages show.
pub struct Pages {
    pub(crate) table: String,
    pub(crate) title: String,
    pub(crate) paper: String,
    pub(crate) metric: String,
    pub(crate) headline: Vec<String>,
    pub(crate) sheets: Vec<Sheet>,
    pub(crate) figures: Vec<Figure>,
    pub(crate) notes: Notes,
    pub(super) blocks: Vec<DataBlock>,
    pub(super) differences: Vec<Vec<Vec<Difference>>>,
    seeds: u64,
}

impl Pages {
    /// Puts the pages of a table together.
    pub fn new(paper: &Paper, plan: &ReproductionPlan, blocks: Vec<DataBlock>) -> Pages {
        let differences = differences(&blocks, &plan.table.reference);
        let pairs = || blocks.iter().zip(&differences);
        let of_block = |(b, d): (&DataBlock, &Vec<Vec<Difference>>)| {
            std::iter::once(sheet::sheet(paper, plan, b, d)).chain(parts_sheet::sheets(paper, b))
        };
        let sheets = pairs().flat_map(of_block).collect();
        let headline = sheet::headline(paper, plan, &blocks, &differences);
        let figures =
            if plan.table.kind == TableKind::Curves { figures(paper, plan, &blocks) } else { Vec::new() };
        let notes = Notes::new(paper, plan, &blocks);
        Pages {
            table: plan.table.name.clone(),
            title: plan.table.title.clone(),
            paper: format!("{}, {}", paper.title, paper.source),
            metric: plan.table.metrics[0].clone(),
            headline,
            sheets,
            figures,
            notes,
            blocks,
            differences,
            seeds: plan.seeds,
        }
    }

    /// The summary in sentences.
    pub fn headline(&self) -> &[String] {
        &self.headline
    }

    pub(crate) fn seeds(&self) -> String {
        notes::seeds(self.seeds)
    }
}

/// The first finished seed of each backbone's curves.
fn figures(paper: &Paper, plan: &ReproductionPlan, blocks: &[DataBlock]) -> Vec<Figure> {
    let mut list = Vec::new();
    for (block, data) in blocks.iter().zip(&plan.data) {
        for row in &block.rows {
            let cell = &row.settled.cell;
            let drawn = row.settled.seeds.iter().find_map(|(seed, files)| {
                let curves = curves(files.as_ref().ok()?, &data.modalities).ok()?;
                Some((*seed, curves)).filter(|(_, curves)| !curves.is_empty())
            });
            if let Some((seed, curves)) = drawn {
                let names = (sheet::backbone(paper, &cell.backbone), sheet::dataset(paper, &cell.dataset));
                list.push(Figure { title: format!("{} on {}", names.0, names.1), seed, curves });
            }
        }
    }
    list
}
