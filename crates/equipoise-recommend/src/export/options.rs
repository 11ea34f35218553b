//! What a user may choose about an export.

use crate::error::RecommendError;
use equipoise_data::quoted;

/// What a user may choose about an export. Each target takes some of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// Replace an earlier export.
    pub overwrite: bool,
    /// Store tables as float16 (`half`).
    pub half: bool,
    /// Name of the model from now on (`name`).
    pub name: Option<String>,
    /// One named vector for each part of the score as well (`named-vectors`).
    pub named_vectors: bool,
    /// Name of the collection or the schema (`into`); `equipoise` if absent.
    pub into: Option<String>,
    /// Where it is uploaded to (`url`).
    pub upload: Option<Upload>,
}

/// A server that an export is uploaded to.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    /// Its address, `http://…` or `https://…`.
    pub url: String,
    /// Its key, if it asks for one.
    pub api_key: Option<String>,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key stays out of every log.
        write!(
            f,
            "Upload({}, {})",
            self.url,
            if self.api_key.is_some() { "with a key" } else { "without a key" }
        )
    }
}

impl ExportOptions {
    /// The flags of targets that are given.
    pub(super) fn given(&self) -> impl Iterator<Item = &'static str> {
        let flags = [
            ("half", self.half),
            ("name", self.name.is_some()),
            ("named-vectors", self.named_vectors),
            ("into", self.into.is_some()),
            ("url", self.upload.is_some()),
        ];
        flags.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag)
    }

    /// Refuses values that no target can use.
    pub(super) fn check(&self) -> Result<(), RecommendError> {
        if let Some(upload) = &self.upload
            && !(upload.url.starts_with("http://") || upload.url.starts_with("https://"))
        {
            let problem = format!("{}, expected http://… or https://…", quoted(&upload.url));
            return Err(RecommendError::field("--url", problem));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        match &self.into {
            Some(into)
                if into.is_empty()
                    || into.len() > 63
                    || !into.chars().all(plain)
                    || into.starts_with(|c: char| c.is_ascii_digit()) =>
            {
                let problem =
                    format!("{}, expected 1 to 63 of a-z, A-Z, 0-9 and _, no digit first", quoted(into));
                Err(RecommendError::field("--into", problem))
            }
            _ => Ok(()),
        }
    }

    /// Name of the collection or the schema.
    pub(super) fn into(&self) -> &str {
        self.into.as_deref().unwrap_or("equipoise")
    }
}
