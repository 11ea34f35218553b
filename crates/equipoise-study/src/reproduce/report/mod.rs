//! A table in Markdown, CSV and HTML: ours beside the paper's.

mod csv;
mod markdown;
mod notes;
mod page;
mod sheet;

pub use notes::Notes;
pub use sheet::{Entry, Sheet};

use super::compare::{Difference, differences};
use super::paper::{Paper, TableKind};
use super::plan::ReproductionPlan;
use super::results::{Curve, DataBlock, curves};
use equipoise_data::write_atomic;
use equipoise_report::page::{Panel, picture};
use std::io::Write;
use std::path::PathBuf;

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
    blocks: Vec<DataBlock>,
    differences: Vec<Vec<Vec<Difference>>>,
    seeds: u64,
}

impl Pages {
    /// Puts the pages of a table together.
    pub fn new(paper: &Paper, plan: &ReproductionPlan, blocks: Vec<DataBlock>) -> Pages {
        let differences = differences(&blocks, &plan.table.reference);
        let pairs = || blocks.iter().zip(&differences);
        let sheets = pairs().map(|(b, d)| sheet::sheet(paper, plan, b, d)).collect();
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

    /// As Markdown.
    pub fn markdown(&self) -> String {
        markdown::markdown(self)
    }

    /// As one page that needs nothing else.
    pub fn html(&self) -> String {
        page::reproduction(self)
    }

    /// The curves as one SVG file: a row for each backbone and data set. `None` if there are none.
    pub fn svg(&self) -> Option<String> {
        let row = |figure: &Figure| {
            let name = figure.title.split(" on ").next().unwrap_or_default();
            let titled = |panel: Panel| Panel { title: format!("{name}: {}", panel.title), ..panel };
            page::panels(figure).into_iter().map(titled).collect()
        };
        picture(&self.figures.iter().map(row).collect::<Vec<Vec<Panel>>>())
    }

    /// Writes `<table>.md`, `.html`, `.csv` (means, tests, published numbers), `-runs.csv` (every seed),
    /// `-costs.csv` (time and memory) and, for a figure, `-curves.csv` and `.svg`; returns their paths.
    ///
    /// # Errors
    /// File system faults, with the file.
    pub fn write(&self, out: &std::path::Path) -> Result<Vec<PathBuf>, (PathBuf, std::io::Error)> {
        let mut files = vec![
            (".md", self.markdown()),
            (".html", self.html()),
            (".csv", csv::means(&self.blocks, &self.differences, &self.table)),
            ("-runs.csv", csv::runs(&self.blocks)),
            ("-costs.csv", csv::costs(&self.blocks)),
        ];
        if !self.figures.is_empty() {
            files.push(("-curves.csv", csv::curves(&self.figures)));
        }
        files.extend(self.svg().map(|svg| (".svg", svg)));
        let mut written = Vec::new();
        for (ending, text) in files {
            let path = out.join(format!("{}{ending}", self.table));
            write_atomic(&path, |file| file.write_all(text.as_bytes())).map_err(|e| (path.clone(), e))?;
            written.push(path);
        }
        Ok(written)
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
