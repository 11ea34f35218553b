//! The pages as texts and as files.

use super::super::results::SeedResult;
use super::pages::{Figure, Pages};
use super::{csv, markdown, page};
use equipoise_data::write_atomic;
use equipoise_report::page::{Panel, picture};
use std::io::Write;
use std::path::{Path, PathBuf};

impl Pages {
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

    /// Whether no run of theirs has a result.
    pub fn are_empty(&self) -> bool {
        self.blocks.iter().flat_map(|block| &block.rows).all(|row| row.measured.is_empty())
    }

    /// Its page in Markdown among the files of `out`.
    pub fn markdown_file(&self, out: &Path) -> PathBuf {
        self.file(out, ".md")
    }

    fn file(&self, out: &Path, ending: &str) -> PathBuf {
        out.join(format!("{}{ending}", self.table))
    }

    /// Writes `<table>.md`, `.html`, `.csv` (means, tests, published numbers), `-runs.csv` (every seed),
    /// `-costs.csv` (time and memory), `-parts.csv` (channels, groups of items and users) where they were measured, and, for a figure, `-curves.csv` and `.svg`; returns their paths.
    ///
    /// # Errors
    /// File system faults, with the file.
    pub fn write(&self, out: &Path) -> Result<Vec<PathBuf>, (PathBuf, std::io::Error)> {
        let mut files = vec![
            (".md", self.markdown()),
            (".html", self.html()),
            (".csv", csv::means(&self.blocks, &self.differences, &self.table)),
            ("-runs.csv", csv::runs(&self.blocks)),
            ("-costs.csv", csv::costs(&self.blocks)),
        ];
        let is_in_parts = |m: &SeedResult| !m.channels.is_empty() || !m.groups.is_empty();
        if self.blocks.iter().flat_map(|b| &b.rows).flat_map(|row| row.measured.values()).any(is_in_parts) {
            files.push(("-parts.csv", csv::parts(&self.blocks)));
        }
        if !self.figures.is_empty() {
            files.push(("-curves.csv", csv::curves(&self.figures)));
        }
        files.extend(self.svg().map(|svg| (".svg", svg)));
        let mut written = Vec::new();
        for (ending, text) in files {
            let path = self.file(out, ending);
            write_atomic(&path, |file| file.write_all(text.as_bytes())).map_err(|e| (path.clone(), e))?;
            written.push(path);
        }
        Ok(written)
    }
}
