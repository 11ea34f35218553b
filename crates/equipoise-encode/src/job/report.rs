//! What is said of an encoding, on the way and in `<name>_encoder.json`.

use std::collections::BTreeMap;

use equipoise_jobs::Shard;
use serde::{Deserialize, Serialize};

/// Version of `<name>_encoder.json`.
pub(crate) const VERSION: u32 = 1;

/// The progress event of an encoding: how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeProgress {
    /// Items done, those of an earlier run included.
    pub done: usize,
    /// Items to be encoded.
    pub total: usize,
    /// Items that an earlier run had done.
    pub before: usize,
}

/// A file of a model, told apart by its contents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashedFile {
    /// Name within the model's folder.
    pub file: String,
    /// BLAKE3, 64 hex digits.
    pub blake3: String,
}

/// An item whose content could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokenItem {
    /// Raw id.
    pub item: String,
    /// What is wrong.
    pub reason: String,
}

/// `<name>_encoder.json`: where features come from and what was left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncodeReport {
    /// Version of this file.
    pub version: u32,
    /// Name of the modality.
    pub name: String,
    /// The model as it was asked for.
    pub encoder: String,
    /// Its architecture.
    pub architecture: String,
    /// Snapshot of a model from the hub's cache.
    pub revision: Option<String>,
    /// Hashes of the files that decide the result.
    pub files: Vec<HashedFile>,
    /// How token rows (or patches) became one vector.
    pub pooling: Option<String>,
    /// What said so: a file of the model, or `--pooling`.
    #[serde(default)]
    pub pooling_from: Option<String>,
    /// What was put before each text.
    #[serde(default)]
    pub prompt: Option<String>,
    /// Whether rows have norm 1.
    pub normalised: bool,
    /// Most tokens of a text.
    pub max_length: Option<usize>,
    /// Most seconds that are read of a sound.
    #[serde(default)]
    pub max_seconds: Option<u32>,
    /// Texts that were cut to that length, or sounds to those seconds.
    pub truncated: usize,
    /// Where the content came from.
    pub source: String,
    /// Rows of the source about items that are not in the data set.
    pub unknown: usize,
    /// Further rows of the source about an item: the first is kept.
    pub repeated: usize,
    /// What was guessed, passed over or understood leniently of the source, a sentence each.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Files of a folder that are no pictures, or no sounds, by the ending of their names; by that ending.
    #[serde(default)]
    pub passed_over: BTreeMap<String, usize>,
    /// Texts in which HTML entities were decoded.
    #[serde(default)]
    pub decoded: usize,
    /// Texts that share no term with another: the built-in encoder has nothing to say of their items.
    #[serde(default)]
    pub unshared: usize,
    /// Rows of the features: the items of the data set, in the order of `<name>_feat_ids.json`.
    pub rows: usize,
    /// Columns of the features.
    pub width: usize,
    /// Columns that there would be by default, where the texts gave fewer.
    #[serde(default)]
    pub usual_width: Option<usize>,
    /// Items without content, broken ones included: they have the mean row and stand in `<name>_missing.json`.
    pub missing: usize,
    /// Items whose content could not be read.
    pub broken: Vec<BrokenItem>,
    /// Items that an earlier run had encoded when this one continued it.
    pub resumed: usize,
    /// Seconds that this run took.
    pub seconds: f64,
    /// Items encoded per second of this run.
    pub rate: f64,
    /// BLAKE3 of all that the features follow from: contents, model and settings.
    pub fingerprint: String,
    /// BLAKE3 of `<name>_feat.npy`.
    pub features: String,
    /// The part that was encoded and kept; `rows` is then the number of its items, and no file was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Shard>,
    /// Whether the features were there already, made from the same contents, model and settings; nothing was written.
    #[serde(skip)]
    pub up_to_date: bool,
}

impl EncodeReport {
    /// What was guessed, decoded, made less of or passed over, a sentence each.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks: Vec<String> =
            self.notes.iter().map(|note| note.trim_end_matches('.').to_owned()).collect();
        if let (Some(pooling), Some(from)) = (&self.pooling, &self.pooling_from) {
            remarks.push(format!("rows of tokens became one by the pooling {pooling}, as {from} says"));
        }
        if let Some(usual) = self.usual_width {
            remarks.push(format!(
                "{} columns instead of the usual {usual}: these texts have no more to tell apart",
                self.width
            ));
        }
        if let (Some(seconds), 1..) = (self.max_seconds, self.truncated) {
            remarks
                .push(format!("the first {seconds} seconds were read of {} longer sounds", self.truncated));
        }
        if self.decoded > 0 {
            remarks.push(format!("HTML entities (such as &amp;) were decoded in {} texts", self.decoded));
        }
        if self.unshared > 0 {
            remarks.push(format!(
                "{} of the missing items have a text that shares no word with another",
                self.unshared
            ));
        }
        if !self.passed_over.is_empty() {
            let kinds: Vec<String> = self.passed_over.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
            let kinds = kinds.join(", ");
            remarks.push(format!("passed over in the folder, by the endings of their names: {kinds}"));
        }
        remarks
    }
}
