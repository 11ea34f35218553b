//! Cells: `<table>/<backbone>-<method>-<data set>`.

use super::paper::{Paper, TableKind, TableSpec};
use super::teaching::needs_teachers;
use equipoise_models::AblationEffect;
use std::fmt;

/// The row of uni-modal teachers, which is no balancer.
pub const TEACHER: &str = "teacher";

/// One cell of a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// The table.
    pub table: String,
    /// The backbone, by its name in the registry.
    pub backbone: String,
    /// The method, or [`TEACHER`].
    pub method: String,
    /// The data set.
    pub dataset: String,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}-{}-{}", self.table, self.backbone, self.method, self.dataset)
    }
}

/// Which part of a table; all of it where a list is empty.
#[derive(Clone, Debug, Default)]
pub struct Choose {
    /// Backbones.
    pub backbones: Vec<String>,
    /// Methods.
    pub methods: Vec<String>,
}

/// The cells of a table on these data sets: data set by data set, backbone by backbone. The method that the
/// others are compared with is always among them.
///
/// # Errors
/// If a backbone or method is none of the paper's.
pub fn expand(
    paper: &Paper,
    table: &TableSpec,
    choose: &Choose,
    datasets: &[String],
) -> Result<Vec<Cell>, String> {
    let backbones =
        pick("--backbones", &choose.backbones, &table.backbones, |b| paper.backbones.contains_key(b))?;
    let teachers = table.kind == TableKind::Channels;
    let known = |m: &str| paper.methods.contains_key(m) || (teachers && m == TEACHER);
    let mut methods = pick("--methods", &choose.methods, &table.methods, known)?;
    if !methods.contains(&table.reference) {
        methods.insert(0, table.reference.clone());
    }
    let mut cells = Vec::new();
    for dataset in datasets {
        for backbone in &backbones {
            cells.extend(methods.iter().map(|method| Cell {
                table: table.name.clone(),
                backbone: backbone.clone(),
                method: method.clone(),
                dataset: dataset.clone(),
            }));
        }
    }
    Ok(cells)
}

fn pick(
    flag: &str,
    wanted: &[String],
    all: &[String],
    known: impl Fn(&str) -> bool,
) -> Result<Vec<String>, String> {
    if let Some(stranger) = wanted.iter().find(|name| !known(name)) {
        return Err(format!("{flag} {stranger}: the paper has none such; expected {}", all.join(", ")));
    }
    let mut list: Vec<String> = Vec::new();
    for name in if wanted.is_empty() { all } else { wanted } {
        if !list.contains(name) {
            list.push(name.clone());
        }
    }
    Ok(list)
}

/// Why this program cannot run a cell: its backbone or balancer is in no registry, or has nothing to balance.
pub fn unsupported(paper: &Paper, backbone: &str, method: &str) -> Option<String> {
    let Some(entry) = equipoise_models::find(backbone) else {
        return Some(format!("this program has no backbone `{backbone}`"));
    };
    let balancer = paper.balancer(method);
    if equipoise_balance::find(&balancer).is_none() {
        return Some(format!("this program has no balancer `{balancer}`"));
    }
    let silent = entry.ablation_effect == AblationEffect::Nothing && balancer != "none";
    silent.then(|| format!("no modality changes the scores of `{backbone}`: there is nothing to balance"))
}

impl Paper {
    /// The name of a method's balancer.
    pub fn balancer(&self, method: &str) -> String {
        let named = |settings: &toml::Table| Some(settings.get("balance")?.get("name")?.as_str()?.to_owned());
        let chain = self.chain(method);
        chain.into_iter().rev().find_map(named).unwrap_or_else(|| "none".into())
    }

    /// Whether a method's balancer reads teachers.
    pub fn distils(&self, method: &str) -> bool {
        needs_teachers(&self.balancer(method))
    }

    /// Whether a method's runs read those of the plain model.
    pub fn reads_plain(&self, method: &str) -> bool {
        self.methods.get(method).is_some_and(|m| m.plain)
    }

    /// The settings of a method: those of the method it starts from, then its own.
    pub fn chain(&self, method: &str) -> Vec<&toml::Table> {
        let Some(entry) = self.methods.get(method) else { return Vec::new() };
        let mut chain = entry.after.as_deref().map_or_else(Vec::new, |after| self.chain(after));
        chain.push(&entry.settings);
        chain
    }

    /// The settings that make a method the variant of another that it is; none of a method of its own.
    pub fn variant(&self, method: &str) -> Option<&toml::Table> {
        self.methods.get(method).filter(|m| m.after.is_some()).map(|m| &m.settings)
    }

    /// The method whose search comes before that of `method`; none before the plain model's.
    pub fn before(&self, method: &str) -> Option<&str> {
        let after = self.methods.get(method).and_then(|m| m.after.as_deref());
        after.or(if method == "none" { None } else { Some("none") })
    }

    /// The methods whose settings are searched for one, its own first and the plain model's last.
    pub fn searches<'a>(&'a self, method: &'a str) -> impl Iterator<Item = &'a str> {
        std::iter::successors(Some(method), |method| self.before(method))
    }

    /// The name in print of a method.
    pub fn method_title(&self, method: &str) -> String {
        match method {
            TEACHER => "uni-modal teachers".into(),
            _ => self.methods.get(method).map_or_else(|| method.to_owned(), |m| m.title.clone()),
        }
    }
}
