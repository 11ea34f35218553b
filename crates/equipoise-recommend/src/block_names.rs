//! Names of the blocks of final tables, for people and files.

use equipoise_models::Ablation;
use equipoise_train::FinalTables;

use crate::request::IDS;

/// A name for each block: `ids` if it counts whatever is silenced, a modality if it counts unless that is silenced, else the
/// first ablation that it counts under (`full`, `only text`). A name that occurs again gets a number.
pub(crate) fn block_names(tables: &FinalTables) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for b in 0..tables.blocks().len() {
        let name = name(tables, b);
        let again =
            names.iter().filter(|other| **other == name || other.starts_with(&format!("{name} "))).count();
        names.push(if again == 0 || !names.contains(&name) { name } else { format!("{name} {}", again + 1) });
    }
    names
}

fn name(tables: &FinalTables, b: usize) -> String {
    let modalities: Vec<&str> = tables.modalities().iter().map(String::as_str).collect();
    let counts = |ablation: Ablation, block: usize| {
        tables.views().iter().any(|view| view.ablation == ablation && view.blocks.contains(&block))
    };
    let everywhere = |block: usize| tables.views().iter().all(|view| view.blocks.contains(&block));
    if everywhere(b) {
        return IDS.to_owned();
    }
    let adds_up = (0..tables.blocks().len()).any(everywhere);
    let silent: Vec<usize> = (0..modalities.len()).filter(|&m| !counts(Ablation::without(m), b)).collect();
    match silent[..] {
        [m] if adds_up && counts(Ablation::FULL, b) => modalities[m].to_owned(),
        _ => {
            let view = tables.views().iter().find(|view| view.blocks.contains(&b));
            view.map_or_else(|| "unused".to_owned(), |view| view.ablation.label(&modalities))
        }
    }
}
