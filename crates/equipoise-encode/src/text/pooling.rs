//! From the rows of tokens to the vector of a text: pooling, linear maps and normalisation, as `modules.json` says.
//!
//! With `h_1 ... h_T` the rows of a text's tokens, special tokens among them:
//!
//! | pooling | vector |
//! |---|---|
//! | `cls` | `h_1` |
//! | `mean` | `1/T sum over t of h_t` |
//! | `max` | the largest of each column |
//! | `mean_sqrt_len_tokens` | `1/sqrt(T) sum over t of h_t` |
//! | `weightedmean` | `sum over t of t h_t / sum over t of t` |
//! | `lasttoken` | `h_T` |
//!
//! Several stand one after another. Source: Reimers and Gurevych, EMNLP 2019, *Sentence-BERT*, and the configuration
//! files of its library.

use std::path::{Path, PathBuf};

use equipoise_data::quoted;
use serde::Deserialize;
use serde_json::Value;

use crate::error::EncodeError;
use crate::json;
use crate::transformer::{Activation, LayerNorm, Linear, Weights, unit_rows};

/// How the rows of a text become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pooling {
    Cls,
    Max,
    Mean,
    MeanSqrtLength,
    WeightedMean,
    Last,
}

/// The older files have one switch for each, in the order in which several are joined.
const POOLINGS: [(Pooling, &str, &str); 6] = [
    (Pooling::Cls, "cls", "pooling_mode_cls_token"),
    (Pooling::Max, "max", "pooling_mode_max_tokens"),
    (Pooling::Mean, "mean", "pooling_mode_mean_tokens"),
    (Pooling::MeanSqrtLength, "mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens"),
    (Pooling::WeightedMean, "weightedmean", "pooling_mode_weightedmean_tokens"),
    (Pooling::Last, "lasttoken", "pooling_mode_lasttoken"),
];

impl Pooling {
    /// Name in configuration files.
    pub(crate) fn name(self) -> &'static str {
        POOLINGS.iter().find(|p| p.0 == self).map_or("", |p| p.1)
    }

    /// The poolings that a text names, joined by `+`.
    ///
    /// # Errors
    /// The known names, if one of them is none.
    pub(crate) fn list(text: &str) -> Result<Vec<Pooling>, String> {
        text.split('+').map(|name| Pooling::named(name.trim())).collect()
    }

    fn named(name: &str) -> Result<Pooling, String> {
        POOLINGS.iter().find(|p| p.1 == name).map(|p| p.0).ok_or_else(Pooling::known)
    }

    /// The names, for a message.
    fn known() -> String {
        POOLINGS.map(|p| p.1).join(", ")
    }

    /// Adds the vector of the rows `h` (`T x width`, at least one row) to `out`.
    pub(crate) fn pool(self, h: &[f32], width: usize, out: &mut Vec<f32>) {
        let rows = || h.chunks_exact(width);
        let count = rows().len();
        match self {
            Pooling::Cls => out.extend_from_slice(&h[..width]),
            Pooling::Last => out.extend_from_slice(&h[h.len() - width..]),
            Pooling::Max => {
                let start = out.len();
                out.extend_from_slice(&h[..width]);
                for row in rows().skip(1) {
                    out[start..].iter_mut().zip(row).for_each(|(o, &v)| *o = o.max(v));
                }
            }
            Pooling::Mean => weighted(rows(), |_| 1.0, count as f32, width, out),
            Pooling::MeanSqrtLength => weighted(rows(), |_| 1.0, (count as f32).sqrt(), width, out),
            Pooling::WeightedMean => {
                let total = (count * (count + 1)) as f32 / 2.0;
                weighted(rows(), |t| (t + 1) as f32, total, width, out);
            }
        }
    }
}

/// Adds `sum over t of weight(t) h_t / divisor` to `out`.
fn weighted<'a>(
    rows: impl Iterator<Item = &'a [f32]>,
    weight: impl Fn(usize) -> f32,
    divisor: f32,
    width: usize,
    out: &mut Vec<f32>,
) {
    let start = out.len();
    out.resize(start + width, 0.0);
    for (t, row) in rows.enumerate() {
        let weight = weight(t);
        out[start..].iter_mut().zip(row).for_each(|(o, v)| *o += weight * v);
    }
    out[start..].iter_mut().for_each(|o| *o /= divisor);
}

/// A step on vectors.
enum Step {
    Dense(Linear, Option<Activation>),
    Norm(LayerNorm),
    Unit,
}

/// What follows the transformer.
pub(crate) struct Head {
    poolings: Vec<Pooling>,
    /// What named the poolings.
    from: String,
    steps: Vec<Step>,
    inputs: usize,
    width: usize,
    /// Files that it was read from, for their hashes.
    pub(crate) files: Vec<PathBuf>,
}

/// An entry of `modules.json`.
#[derive(Deserialize)]
pub(crate) struct Module {
    /// Folder of the module within that of the model.
    pub(crate) path: String,
    /// Its class.
    #[serde(rename = "type")]
    pub(crate) class: String,
}

impl Module {
    /// Last part of the class's name.
    pub(crate) fn kind(&self) -> &str {
        self.class.rsplit('.').next().unwrap_or_default()
    }

    /// Folder of the module.
    ///
    /// # Errors
    /// If it lies outside the model.
    pub(crate) fn dir(&self, model: &Path) -> Result<PathBuf, EncodeError> {
        let inside = Path::new(&self.path).components().all(|c| matches!(c, std::path::Component::Normal(_)));
        if inside {
            Ok(model.join(&self.path))
        } else {
            let problem = format!(
                "module path {}, expected a folder of the model; fetch the model again",
                quoted(&self.path)
            );
            Err(EncodeError::file(&model.join(MODULES), problem))
        }
    }
}

/// List of the parts of a model.
pub(crate) const MODULES: &str = "modules.json";

/// Folder of the pooling where there is no such list.
const FOLDER: &str = "1_Pooling";

/// Settings of a part.
const CONFIG: &str = "config.json";

#[derive(Deserialize)]
struct DenseConfig {
    in_features: usize,
    out_features: usize,
    activation_function: Option<String>,
}

impl Head {
    /// What `modules` say after the first, for token rows of `width` columns. The poolings are those asked for, else those
    /// that the model's files name.
    ///
    /// # Errors
    /// A module that is not known, or whose files do not fit; nothing that says how the rows of tokens become one.
    pub(crate) fn read(
        model: &Path,
        modules: &[Module],
        width: usize,
        asked: Option<&[Pooling]>,
    ) -> Result<Head, EncodeError> {
        let (poolings, from, files) = taken(model, modules, width, asked)?;
        let inner = width * poolings.len();
        let mut head = Head { poolings, from, steps: Vec::new(), inputs: width, width: inner, files };
        for (place, module) in modules.iter().enumerate().skip(1) {
            let dir = module.dir(model)?;
            match module.kind() {
                "Pooling" if place == 1 => {}
                "Dense" => head.dense(&dir)?,
                "LayerNorm" => head.norm(&dir)?,
                "Normalize" => head.steps.push(Step::Unit),
                "Dropout" => {}
                kind => {
                    let expected =
                        "Pooling right after the transformer, then Dense, LayerNorm, Normalize or Dropout";
                    let problem = format!(
                        "module {} at place {place}, expected {expected}; choose another model",
                        quoted(kind)
                    );
                    return Err(EncodeError::file(&model.join(MODULES), problem));
                }
            }
        }
        Ok(head)
    }

    /// Width of the vectors.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Whether vectors have norm 1.
    pub(crate) fn normalises(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Unit))
    }

    /// Names of the poolings, joined by `+`.
    pub(crate) fn pooling(&self) -> String {
        self.poolings.iter().map(|p| p.name()).collect::<Vec<_>>().join("+")
    }

    /// What named the poolings: a file of the model, or `--pooling`.
    pub(crate) fn pooling_from(&self) -> &str {
        &self.from
    }

    /// One vector for each sequence of the packed rows `h`, into `out` (`sequences x width`).
    pub(crate) fn apply(&self, h: &[f32], offsets: &[usize], out: &mut [f32]) {
        let mut x = Vec::with_capacity((offsets.len() - 1) * self.inputs * self.poolings.len());
        for sequence in offsets.windows(2) {
            let rows = &h[sequence[0] * self.inputs..sequence[1] * self.inputs];
            self.poolings.iter().for_each(|pooling| pooling.pool(rows, self.inputs, &mut x));
        }
        let mut width = self.inputs * self.poolings.len();
        for step in &self.steps {
            match step {
                Step::Dense(map, activation) => {
                    let mut y = Vec::new();
                    map.forward(&x, &mut y);
                    if let Some(activation) = activation {
                        activation.apply(&mut y);
                    }
                    (x, width) = (y, map.outputs());
                }
                Step::Norm(norm) => norm.forward(&mut x),
                Step::Unit => unit_rows(&mut x, width),
            }
        }
        out.copy_from_slice(&x);
    }

    fn dense(&mut self, dir: &Path) -> Result<(), EncodeError> {
        let file = dir.join(CONFIG);
        let config: DenseConfig = json::read(&file)?;
        if config.in_features != self.width {
            let problem = format!(
                "in_features is {}, expected {}, the width before it; use the files of one model",
                config.in_features, self.width
            );
            return Err(EncodeError::file(&file, problem));
        }
        if config.out_features == 0 {
            let problem = "out_features is 0, expected 1 or more; fetch the model again";
            return Err(EncodeError::file(&file, problem));
        }
        let activation = match config.activation_function.as_deref().and_then(|name| name.rsplit('.').next())
        {
            Some("Identity") => None,
            None => Some(Activation::Tanh),
            Some(name) => Some(Activation::named(&file, &name.to_lowercase())?),
        };
        let weights = Weights::open(dir)?;
        let map = Linear::load(&weights, "linear", config.in_features, config.out_features)?;
        self.files.push(file);
        self.files.extend(weights.files());
        self.width = config.out_features;
        self.steps.push(Step::Dense(map, activation));
        Ok(())
    }

    fn norm(&mut self, dir: &Path) -> Result<(), EncodeError> {
        let weights = Weights::open(dir)?;
        let norm = LayerNorm::load(&weights, "norm", self.width, 1e-5)?;
        self.files.extend(weights.files());
        self.steps.push(Step::Norm(norm));
        Ok(())
    }
}

/// The poolings that are asked for or that the model's files name, what named them, and the file that did.
fn taken(
    model: &Path,
    modules: &[Module],
    width: usize,
    asked: Option<&[Pooling]>,
) -> Result<(Vec<Pooling>, String, Vec<PathBuf>), EncodeError> {
    if let Some(asked) = asked {
        return Ok((asked.to_vec(), "--pooling".into(), Vec::new()));
    }
    let dir = match modules.get(1).filter(|module| module.kind() == "Pooling") {
        Some(module) => Some(module.dir(model)?),
        // Without a list of modules, the folder of the usual name is its own word.
        None => Some(model.join(FOLDER)).filter(|dir| modules.is_empty() && dir.join(CONFIG).is_file()),
    };
    let ask = |file: &Path, found: &str| {
        let problem = format!(
            "{found}, which say how the rows of tokens become one vector; see the model's page and name it with \
             --pooling: one of {}",
            Pooling::known()
        );
        EncodeError::file(file, problem)
    };
    let Some(dir) = dir else {
        return Err(ask(model, "no Pooling in modules.json and no 1_Pooling/config.json"));
    };
    let file = dir.join(CONFIG);
    match poolings(&file, width)? {
        found if found.is_empty() => Err(ask(&file, "no pooling is switched on among the pooling_mode keys")),
        found => {
            let name = file.strip_prefix(model).unwrap_or(&file).display().to_string();
            Ok((found, name, vec![file]))
        }
    }
}

/// The poolings that the `config.json` of a module names.
fn poolings(file: &Path, width: usize) -> Result<Vec<Pooling>, EncodeError> {
    let config: serde_json::Map<String, Value> = json::read(file)?;
    let fault = |problem: String| EncodeError::file(file, problem);
    for name in ["word_embedding_dimension", "embedding_dimension"] {
        if let Some(found) = config.get(name).filter(|found| found.as_u64() != Some(width as u64)) {
            return Err(fault(format!(
                "{name} is {:.60}, expected {width}, the width of the model; use the files of one model",
                found.to_string()
            )));
        }
    }
    let named = |value: &Value| {
        let name = value.as_str().unwrap_or_default();
        Pooling::named(name).map_err(|known| {
            let found = value.to_string();
            fault(format!("pooling {found:.60}, expected one of {known}; choose another model"))
        })
    };
    match config.get("pooling_mode") {
        Some(Value::Array(names)) => names.iter().map(named).collect(),
        Some(name) => Ok(vec![named(name)?]),
        None => {
            let mut found = Vec::new();
            for (pooling, _, key) in POOLINGS {
                match config.get(key) {
                    None | Some(Value::Null | Value::Bool(false)) => {}
                    Some(Value::Bool(true)) => found.push(pooling),
                    Some(other) => {
                        let other = other.to_string();
                        return Err(fault(format!(
                            "{key} is {other:.60}, expected true or false; fetch the model again"
                        )));
                    }
                }
            }
            Ok(found)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pooling_is_its_definition() {
        let h = [1.0, 8.0, 2.0, -1.0, 6.0, 5.0];
        for (pooling, expected) in [
            (Pooling::Cls, [1.0, 8.0]),
            (Pooling::Max, [6.0, 8.0]),
            (Pooling::Mean, [3.0, 4.0]),
            (Pooling::MeanSqrtLength, [9.0 / 3f32.sqrt(), 12.0 / 3f32.sqrt()]),
            (Pooling::WeightedMean, [23.0 / 6.0, 21.0 / 6.0]),
            (Pooling::Last, [6.0, 5.0]),
        ] {
            let mut out = vec![9.0];
            pooling.pool(&h, 2, &mut out);
            assert!(
                (out[1] - expected[0]).abs() < 1e-6 && (out[2] - expected[1]).abs() < 1e-6,
                "{pooling:?} {out:?}"
            );
        }
    }

    #[test]
    fn old_and_new_files_name_the_same_poolings() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let read = |text: &str| {
            let file = dir.path().join(CONFIG);
            std::fs::write(&file, text).expect("written");
            poolings(&file, 4).map_err(|error| error.to_string())
        };
        let both = vec![Pooling::Cls, Pooling::Mean];
        assert_eq!(
            read(r#"{"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true}"#),
            Ok(both.clone())
        );
        assert_eq!(read(r#"{"pooling_mode": ["cls", "mean"], "embedding_dimension": 4}"#), Ok(both));
        assert_eq!(read("{}"), Ok(vec![]), "which is asked for, not assumed");
        assert!(read(r#"{"pooling_mode_cls_token": "yes"}"#).expect_err("a text").contains("true or false"));
        assert_eq!(Pooling::list("cls+mean").as_deref(), Ok(&[Pooling::Cls, Pooling::Mean][..]));
        assert!(Pooling::list("cls,mean").expect_err("no name").contains("lasttoken"));
        assert!(read(r#"{"pooling_mode": "first"}"#).expect_err("unknown").contains("lasttoken"));
        assert!(
            read(r#"{"word_embedding_dimension": 5}"#).expect_err("another model").contains("expected 4")
        );
    }
}
