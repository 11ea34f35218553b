//! Texts to token ids, as `tokenizer.json` says.

use std::path::{Path, PathBuf};

use tokenizers::{Tokenizer, TruncationParams};

use crate::error::EncodeError;
use equipoise_data::caught;

/// Name of the file.
pub(crate) const FILE: &str = "tokenizer.json";

/// A tokenizer with the limits and habits of its model.
pub(crate) struct TextTokenizer {
    inner: Tokenizer,
    /// Put before each text.
    prompt: String,
    /// Whether texts are put in lower case first.
    lower: bool,
    unknown: Option<u32>,
    /// Rows of the model's embeddings: ids are below it.
    vocabulary: usize,
    /// Where it was read.
    file: PathBuf,
}

/// The tokens of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// Ids, those of special tokens included.
    pub(crate) ids: Vec<u32>,
    /// Whether the end of the text was cut off.
    pub(crate) truncated: bool,
}

impl TextTokenizer {
    /// Reads `tokenizer.json` of the folder.
    ///
    /// # Errors
    /// If it is absent or damaged, or has an id of `vocabulary` or more.
    pub(crate) fn open(dir: &Path, vocabulary: usize) -> Result<TextTokenizer, EncodeError> {
        let file = dir.join(FILE);
        if !file.is_file() {
            let problem = format!(
                "no {FILE}; save it with AutoTokenizer.from_pretrained(folder).save_pretrained(folder), which needs the \
                 fast tokenizer of this model"
            );
            return Err(EncodeError::file(dir, problem));
        }
        let text = std::fs::read(&file).map_err(EncodeError::io(&file))?;
        let inner = caught(|| Tokenizer::from_bytes(&text).map_err(|error| error.to_string()));
        let mut inner = inner.and_then(|read| read).map_err(|problem| {
            EncodeError::file(&file, format!("no tokenizer ({problem:.200}); fetch the file again"))
        })?;
        inner.with_padding(None);
        let _ = inner.with_truncation(None);
        let unknown = unknown(&inner, &text);
        let opened = TextTokenizer { inner, prompt: String::new(), lower: false, unknown, vocabulary, file };
        let largest = opened.inner.get_vocab(true).into_values().max().unwrap_or(0);
        opened.check(&[largest]).map_err(|problem| EncodeError::file(&opened.file, problem))?;
        Ok(opened)
    }

    /// Refuses ids that have no row among the embeddings.
    fn check(&self, ids: &[u32]) -> Result<(), String> {
        match ids.iter().find(|id| **id as usize >= self.vocabulary) {
            None => Ok(()),
            Some(id) => Err(format!(
                "token id {id}, expected ids below {}, the rows of the model's embeddings; tokenizer and weights are of \
                 different models",
                self.vocabulary
            )),
        }
    }

    /// Puts `prompt` before each text, and texts in lower case if `lower`.
    pub(crate) fn with_habits(self, prompt: String, lower: bool) -> TextTokenizer {
        TextTokenizer { prompt, lower, ..self }
    }

    /// Cuts texts to `most` tokens, special tokens included.
    ///
    /// # Errors
    /// If that leaves no room for a token of the text, or a special token has no row among the embeddings.
    pub(crate) fn cut_to(&mut self, most: usize) -> Result<(), EncodeError> {
        let params = TruncationParams { max_length: most, ..TruncationParams::default() };
        let special = self.tokens("", true).map_err(|problem| EncodeError::file(&self.file, problem))?;
        let special = special.ids.len();
        let cut = most > special && self.inner.with_truncation(Some(params)).is_ok();
        if cut { Ok(()) } else { Err(too_short(most, special)) }
    }

    /// The tokens of a text, with the special tokens of the model around it if `special`.
    ///
    /// # Errors
    /// What the tokenizer has against the text; an id that has no row among the embeddings.
    pub(crate) fn tokens(&self, text: &str, special: bool) -> Result<Tokens, String> {
        let text = match (self.prompt.is_empty(), self.lower) {
            (true, false) => std::borrow::Cow::Borrowed(text),
            (_, true) => format!("{}{text}", self.prompt).to_lowercase().into(),
            (false, false) => format!("{}{text}", self.prompt).into(),
        };
        let encoding = caught(|| self.inner.encode_fast(text, special).map_err(|error| error.to_string()));
        let encoding = encoding.and_then(|done| done).map_err(|problem| {
            format!("the tokenizer of {FILE} cannot read it ({problem:.200}); fetch the model again")
        })?;
        let truncated = !encoding.get_overflowing().is_empty();
        self.check(encoding.get_ids())?;
        Ok(Tokens { ids: encoding.get_ids().to_vec(), truncated })
    }

    /// What is put before each text.
    pub(crate) fn prompt(&self) -> &str {
        &self.prompt
    }

    /// Id of the token for what is not in the vocabulary.
    pub(crate) fn unknown(&self) -> Option<u32> {
        self.unknown
    }
}

/// Id of the token for what is not in the vocabulary, as the file says.
fn unknown(inner: &Tokenizer, text: &[u8]) -> Option<u32> {
    let file: serde_json::Value = serde_json::from_slice(text).ok()?;
    let model = &file["model"];
    match model["unk_token"].as_str() {
        Some(token) => inner.token_to_id(token),
        None => model["unk_id"].as_u64().and_then(|id| u32::try_from(id).ok()),
    }
}

fn too_short(most: usize, special: usize) -> EncodeError {
    let expected = format!("more than the {special} special tokens that stand around each text");
    EncodeError::Setting { field: "max_length", found: most.to_string(), expected }
}
