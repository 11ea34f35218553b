//! A text encoder from its folder: tokenizer, model and what follows.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::Deserialize;
use std::collections::BTreeMap;

use super::config::{CONFIG, model_type};
use super::pooling::{Head, MODULES, Module, Pooling};
use super::registry;
use super::stack::Stack;
use super::static_model::{self, StaticModel};
use super::tokenizer::{self, TextTokenizer, Tokens};
use crate::error::EncodeError;
use crate::job::{Encoder, Remark};
use crate::json;
use crate::model_dir::ModelDir;
use crate::transformer::{Scratch, Weights};
use equipoise_data::quoted;

/// Turns token ids into vectors.
pub(crate) struct Embedder {
    core: Core,
    tokenizer: TextTokenizer,
    /// Token left out of texts: static models drop what they do not know.
    unknown: Option<u32>,
    /// Most tokens of a text.
    pub(crate) max_length: usize,
    /// Name of the architecture.
    pub(crate) architecture: String,
    /// Files that decide the result.
    pub(crate) files: Vec<PathBuf>,
    scratch: Mutex<Vec<(Scratch, Vec<f32>)>>,
}

enum Core {
    Transformer(Box<Stack>, Head),
    Static(StaticModel),
}

/// `sentence_bert_config.json`.
#[derive(Default, Deserialize)]
struct SentenceConfig {
    max_seq_length: Option<usize>,
    #[serde(default)]
    do_lower_case: bool,
}

/// `tokenizer_config.json`, as far as it limits the length.
#[derive(Default, Deserialize)]
struct TokenizerConfig {
    model_max_length: Option<f64>,
}

/// `config_sentence_transformers.json`, as far as it puts something before each text.
#[derive(Default, Deserialize)]
struct PromptConfig {
    #[serde(default)]
    prompts: BTreeMap<String, Option<String>>,
    default_prompt_name: Option<String>,
}

const SENTENCE: &str = "sentence_bert_config.json";
const TOKENIZER: &str = "tokenizer_config.json";
const PROMPTS: &str = "config_sentence_transformers.json";

/// What is asked for, where the model's own files are not to decide.
#[derive(Default)]
pub(crate) struct Asked {
    /// Most tokens of a text.
    pub(crate) max_length: Option<usize>,
    /// How rows of tokens become one.
    pub(crate) pooling: Option<Vec<Pooling>>,
    /// What is put before each text.
    pub(crate) prompt: Option<String>,
}

impl Embedder {
    /// Reads the model of the folder; what is not asked for is as its files say.
    ///
    /// # Errors
    /// If a file is absent, damaged, or not of a kind that is known here; if `max_length` is beyond the model.
    pub(crate) fn open(model: &ModelDir, asked: &Asked) -> Result<Embedder, EncodeError> {
        let dir = &model.path;
        let modules: Vec<Module> = json::read_if_there(&dir.join(MODULES))?.unwrap_or_default();
        let mut embedder = match modules.first().map(Module::kind) {
            Some("StaticEmbedding") => open_static(&modules[0].dir(dir)?, modules.len() > 1)?,
            None | Some("Transformer") => {
                let inner = modules.first().map_or(Ok(dir.clone()), |first| first.dir(dir))?;
                match model_type(&inner)?.as_deref() {
                    Some("model2vec") => open_static(&inner, false)?,
                    _ => open_transformer(dir, &inner, &modules, asked)?,
                }
            }
            Some(kind) => {
                let problem = format!(
                    "the first module is {}, expected Transformer or StaticEmbedding; choose another model",
                    quoted(kind)
                );
                return Err(EncodeError::file(&dir.join(MODULES), problem));
            }
        };
        if let Core::Static(_) = &embedder.core {
            embedder.max_length = asked.max_length.unwrap_or(embedder.max_length);
            if let Some(prompt) = &asked.prompt {
                embedder.tokenizer = embedder.tokenizer.with_habits(prompt.clone(), false);
            }
            if asked.pooling.is_some() {
                let expected = "nothing, since static embeddings are always averaged".to_owned();
                return Err(EncodeError::Setting { field: "pooling", found: "set".into(), expected });
            }
        }
        let own = [MODULES, SENTENCE, TOKENIZER, PROMPTS].map(|name| dir.join(name));
        embedder.files.extend(own);
        embedder.files.sort();
        embedder.files.dedup();
        Ok(embedder)
    }

    /// The tokens of a text.
    ///
    /// # Errors
    /// What the tokenizer has against it.
    pub(crate) fn tokens(&self, text: &str) -> Result<Tokens, String> {
        match &self.core {
            Core::Transformer(..) => self.tokenizer.tokens(text, true),
            Core::Static(_) => {
                let mut tokens = self.tokenizer.tokens(text, false)?;
                tokens.ids.retain(|&id| Some(id) != self.unknown);
                tokens.truncated = tokens.ids.len() > self.max_length;
                tokens.ids.truncate(self.max_length);
                Ok(tokens)
            }
        }
    }

    /// What is put before each text.
    pub(crate) fn prompt(&self) -> &str {
        self.tokenizer.prompt()
    }

    /// How token rows become one vector.
    pub(crate) fn pooling(&self) -> String {
        match &self.core {
            Core::Transformer(_, head) => head.pooling(),
            Core::Static(_) => "mean".into(),
        }
    }

    /// What says so.
    pub(crate) fn pooling_from(&self) -> String {
        match &self.core {
            Core::Transformer(_, head) => head.pooling_from().to_owned(),
            Core::Static(_) => "the kind of the model (static embeddings)".into(),
        }
    }

    /// Whether vectors have norm 1.
    pub(crate) fn normalises(&self) -> bool {
        match &self.core {
            Core::Transformer(_, head) => head.normalises(),
            Core::Static(model) => model.normalises(),
        }
    }
}

fn open_static(dir: &Path, followed: bool) -> Result<Embedder, EncodeError> {
    if followed {
        let problem = "modules after StaticEmbedding, expected none; choose another model";
        return Err(EncodeError::file(dir, problem));
    }
    let weights = Weights::open(dir)?;
    let model = StaticModel::load(dir, &weights, false)?;
    let tokenizer = TextTokenizer::open(dir, model.tokens())?;
    let mut files = weights.files();
    files.extend([dir.join(CONFIG), dir.join(tokenizer::FILE)]);
    Ok(Embedder {
        unknown: tokenizer.unknown(),
        core: Core::Static(model),
        tokenizer,
        max_length: static_model::MOST,
        architecture: "static embeddings".into(),
        files,
        scratch: Mutex::default(),
    })
}

fn open_transformer(
    dir: &Path,
    inner: &Path,
    modules: &[Module],
    asked: &Asked,
) -> Result<Embedder, EncodeError> {
    let config = registry::read(inner)?;
    let weights = Weights::open(inner)?;
    let sentence: SentenceConfig = json::read_if_there(&inner.join(SENTENCE))?.unwrap_or_default();
    let limits: TokenizerConfig = json::read_if_there(&inner.join(TOKENIZER))?.unwrap_or_default();
    let most = config.most_tokens;
    // "No limit" is written as 1e30.
    let usual =
        limits.model_max_length.filter(|&n| n >= 1.0).map_or(most, |n| (n.min(1e9) as usize).min(most));
    let length = asked.max_length.or(sentence.max_seq_length).unwrap_or(usual);
    if length > most {
        let field = if asked.max_length.is_some() { "max_length" } else { "max_seq_length" };
        let expected = format!("at most {most}, the positions that the model has");
        return Err(EncodeError::Setting { field, found: length.to_string(), expected });
    }
    let prompt = asked.prompt.clone().map_or_else(|| default_prompt(dir), Ok)?;
    let mut tokenizer =
        TextTokenizer::open(inner, config.vocabulary)?.with_habits(prompt, sentence.do_lower_case);
    tokenizer.cut_to(length)?;
    let head = Head::read(dir, modules, config.width, asked.pooling.as_deref())?;
    let mut files = weights.files();
    files.extend(head.files.iter().cloned());
    files.extend(modules.iter().skip(1).filter_map(|m| m.dir(dir).ok()).map(|d| d.join(CONFIG)));
    files.extend([
        inner.join(CONFIG),
        inner.join(tokenizer::FILE),
        inner.join(SENTENCE),
        inner.join(TOKENIZER),
    ]);
    Ok(Embedder {
        core: Core::Transformer(Box::new(config.parts.stack(&weights, length)?), head),
        tokenizer,
        unknown: None,
        max_length: length,
        architecture: config.name.to_owned(),
        files,
        scratch: Mutex::default(),
    })
}

/// What the model puts before each text.
fn default_prompt(dir: &Path) -> Result<String, EncodeError> {
    let file = dir.join(PROMPTS);
    let config: PromptConfig = json::read_if_there(&file)?.unwrap_or_default();
    let Some(name) = config.default_prompt_name else {
        return Ok(String::new());
    };
    match config.prompts.get(&name) {
        Some(prompt) => Ok(prompt.clone().unwrap_or_default()),
        None => {
            let problem = format!(
                "default_prompt_name = {}: expected one of the prompts; fetch the file again",
                quoted(&name)
            );
            Err(EncodeError::file(&file, problem))
        }
    }
}

impl Encoder for Embedder {
    type Input = Vec<u32>;

    fn width(&self) -> usize {
        match &self.core {
            Core::Transformer(_, head) => head.width(),
            Core::Static(model) => model.width(),
        }
    }

    fn encode(&self, batch: &[Vec<u32>], out: &mut [f32]) -> Vec<Remark> {
        match &self.core {
            Core::Static(model) => model.encode(batch, out),
            Core::Transformer(stack, head) => {
                let mut offsets = vec![0];
                batch.iter().for_each(|ids| offsets.push(offsets[offsets.len() - 1] + ids.len()));
                let free = self.scratch.lock().ok().and_then(|mut free| free.pop());
                let (mut scratch, mut x) = free.unwrap_or_default();
                stack.forward(batch, &offsets, &mut scratch, &mut x);
                head.apply(&x, &offsets, out);
                if let Ok(mut free) = self.scratch.lock() {
                    free.push((scratch, x));
                }
            }
        }
        Vec::new()
    }
}
