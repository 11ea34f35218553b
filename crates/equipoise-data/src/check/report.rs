//! The report as text.

use std::fmt::{Display, Formatter, Result};

use super::{DataReport, ModalityReport};
use crate::loudness::Loudness;

impl Display for DataReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let format = if self.format.is_empty() { "not recognised" } else { &self.format };
        line(f, "data set", &self.path)?;
        line(f, "layout", format)?;
        line(f, "users", self.users)?;
        line(f, "items", self.items)?;
        line(f, "interactions", self.interactions)?;
        line(f, "  train", self.splits.train)?;
        line(f, "  validation", self.splits.validation)?;
        line(f, "  test", self.splits.test)?;
        line(f, "sparsity", format_args!("{:.4} %", 100.0 * self.sparsity))?;
        line(f, "users without train", self.users_without_train)?;
        line(f, "items without train", self.cold_items)?;
        line(f, "users with all items", self.users_with_every_item)?;
        line(f, "rows", &self.rows)?;
        if let Some(items) = self.categorised_items {
            line(f, "items with category", items)?;
        }
        modalities(f, &self.modalities)?;
        let advice = |loud: &Loudness| {
            format!("{}: it decides what is learned first; try data.scale = \"l2\"", loud.sentence())
        };
        let loud = self.loudness.iter().map(advice);
        sentences(f, "notes", &self.notes.iter().cloned().chain(loud).collect::<Vec<_>>())?;
        sentences(f, "faults", &self.faults)?;
        match self.faults.len() {
            0 => writeln!(f, "\nno fault found"),
            1 => writeln!(f, "\n1 fault found"),
            n => writeln!(f, "\n{n} faults found"),
        }
    }
}

fn line(f: &mut Formatter<'_>, label: &str, value: impl Display) -> Result {
    writeln!(f, "{label:<21}{value}")
}

fn modalities(f: &mut Formatter<'_>, modalities: &[ModalityReport]) -> Result {
    if modalities.is_empty() {
        return Ok(());
    }
    let width = modalities.iter().map(|m| m.name.chars().count()).max().unwrap_or(0).max(8);
    let heads = ["rows", "width", "type", "missing", "zero", "repeated", "minimum", "maximum"];
    write!(f, "\n{:<width$}", "modality")?;
    heads.iter().try_for_each(|head| write!(f, "{head:>10}"))?;
    writeln!(f)?;
    for m in modalities {
        let missing = m.marked_missing.map_or("-".into(), |count| count.to_string());
        writeln!(
            f,
            "{:<width$}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10.4}{:>10.4}",
            m.name, m.rows, m.width, m.dtype, missing, m.missing_rows, m.duplicate_rows, m.minimum, m.maximum
        )?;
    }
    Ok(())
}

fn sentences(f: &mut Formatter<'_>, title: &str, sentences: &[String]) -> Result {
    if sentences.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{title}")?;
    sentences.iter().try_for_each(|sentence| writeln!(f, "  - {sentence}"))
}
