//! `config.json` of a text encoder: what all architectures check in it.

use std::fmt::Display;
use std::path::Path;

use equipoise_data::short;
use serde::Deserialize;
use serde_json::Value;

use crate::error::EncodeError;
use crate::json;

/// Name of the file.
pub(crate) const CONFIG: &str = "config.json";

/// Largest width, and largest number of layers, of positions, ...: far beyond any model, far below what overflows.
pub(crate) const LARGEST: usize = 1 << 20;

/// Most positions of a model that turns queries and keys by them: their sines are held in memory.
const MOST_TURNED: usize = 1 << 17;

/// Value of `model_type` of the folder's `config.json`.
///
/// # Errors
/// If the file is absent or no JSON object.
pub(crate) fn model_type(dir: &Path) -> Result<Option<String>, EncodeError> {
    let file = dir.join(CONFIG);
    if !file.is_file() {
        let problem = format!("no {CONFIG}; give the folder of a model, or its name, or builtin");
        return Err(EncodeError::file(dir, problem));
    }
    let config: serde_json::Map<String, Value> = json::read(&file)?;
    Ok(config.get("model_type").and_then(Value::as_str).map(str::to_owned))
}

/// The sizes that most architectures name alike; the second names are DistilBERT's.
#[derive(Deserialize)]
pub(crate) struct Sizes {
    #[serde(alias = "dim")]
    pub(crate) hidden_size: usize,
    #[serde(alias = "n_layers")]
    pub(crate) num_hidden_layers: usize,
    #[serde(alias = "n_heads")]
    pub(crate) num_attention_heads: usize,
    #[serde(alias = "hidden_dim")]
    pub(crate) intermediate_size: usize,
    pub(crate) max_position_embeddings: usize,
    pub(crate) vocab_size: usize,
}

impl Sizes {
    /// Refuses sizes out of their range.
    ///
    /// # Errors
    /// With the first of them.
    pub(crate) fn check(&self, fields: Fields<'_>) -> Result<(), EncodeError> {
        fields.counts(&[
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("vocab_size", self.vocab_size),
        ])
    }

    /// Columns of a head, where all heads share a row.
    ///
    /// # Errors
    /// If they leave a rest.
    pub(crate) fn columns_of_a_head(&self, fields: Fields<'_>) -> Result<usize, EncodeError> {
        let heads = ("num_attention_heads", self.num_attention_heads);
        fields.divides(heads, ("hidden_size", self.hidden_size))?;
        Ok(self.hidden_size / self.num_attention_heads)
    }
}

/// `rope_parameters` of newer files: how far queries and keys are turned.
#[derive(Deserialize)]
pub(crate) struct Angles {
    rope_theta: f64,
    rope_type: Option<String>,
}

impl Angles {
    /// The base of the angles.
    ///
    /// # Errors
    /// If they are scaled.
    fn base(&self, fields: Fields<'_>) -> Result<f64, EncodeError> {
        let kind = self.rope_type.as_deref().unwrap_or("default");
        fields.only(kind == "default", "rope_type", kind, "default")?;
        Ok(self.rope_theta)
    }
}

/// The fields of a file, to be checked.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a Path);

impl Fields<'_> {
    /// A field that holds something else than expected.
    pub(crate) fn fault(self, field: &str, found: impl Display, expected: &str) -> EncodeError {
        let found = short(&found.to_string());
        EncodeError::file(self.0, format!("{field} = {found}: expected {expected}; fetch the file again"))
    }

    /// Refuses a field that is not as the code here has it: other values belong to models that it does not compute.
    ///
    /// # Errors
    /// If `fits` is false.
    pub(crate) fn only(
        self,
        fits: bool,
        field: &str,
        found: impl Display,
        expected: &str,
    ) -> Result<(), EncodeError> {
        if fits {
            return Ok(());
        }
        let found = short(&found.to_string());
        Err(EncodeError::file(
            self.0,
            format!("{field} = {found}: expected {expected}; choose another model"),
        ))
    }

    /// Refuses numbers beyond 1..=[`LARGEST`].
    ///
    /// # Errors
    /// With the first of them.
    pub(crate) fn counts(self, fields: &[(&str, usize)]) -> Result<(), EncodeError> {
        match fields.iter().find(|(_, found)| !(1..=LARGEST).contains(found)) {
            None => Ok(()),
            Some((field, found)) => Err(self.fault(field, found, &format!("1..={LARGEST}"))),
        }
    }

    /// Refuses a number of heads that does not divide what they share.
    ///
    /// # Errors
    /// If it leaves a rest.
    pub(crate) fn divides(
        self,
        (field, heads): (&str, usize),
        (name, of): (&str, usize),
    ) -> Result<(), EncodeError> {
        if of.is_multiple_of(heads) {
            Ok(())
        } else {
            Err(self.fault(field, heads, &format!("a divisor of {name} = {of}")))
        }
    }

    /// Refuses heads that cannot be turned by positions, and more positions than sines are kept for.
    ///
    /// # Errors
    /// If a head has an odd number of columns, or there are too many positions.
    pub(crate) fn turns(self, columns: usize, positions: (&str, usize)) -> Result<(), EncodeError> {
        if !columns.is_multiple_of(2) {
            return Err(self.fault("columns of a head", columns, "an even number"));
        }
        let expected = format!("at most {MOST_TURNED}");
        if positions.1 > MOST_TURNED { Err(self.fault(positions.0, positions.1, &expected)) } else { Ok(()) }
    }

    /// Refuses what is no small number to add to a variance.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub(crate) fn eps(self, field: &str, eps: f32) -> Result<(), EncodeError> {
        let fits = eps.is_finite() && eps >= 0.0;
        if fits { Ok(()) } else { Err(self.fault(field, eps, "a small positive number")) }
    }

    /// The base of angles: that of newer files, else the one of `field`, else the usual one.
    ///
    /// # Errors
    /// If angles are scaled, or the base is not finite or not above 1.
    pub(crate) fn base(
        self,
        newer: Option<&Angles>,
        (field, found): (&str, Option<f64>),
        usual: f64,
    ) -> Result<f64, EncodeError> {
        let base = newer.map_or_else(|| Ok(found.unwrap_or(usual)), |angles| angles.base(self))?;
        let fits = base.is_finite() && base > 1.0;
        if fits { Ok(base) } else { Err(self.fault(field, base, "a number above 1")) }
    }
}
