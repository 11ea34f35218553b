//! Features from content: the texts, pictures and sounds of items through encoders, one row per item.
//!
//! | model | what it is |
//! |---|---|
//! | `builtin` | of texts, weighted counts of words of any script and their leading directions; of pictures, colours, layout and edges; of sounds, log-mel bands over time; no model needed |
//! | a folder, or `org/name` in the hub's cache | of texts, BERT and its family, ModernBERT, Nomic's BERT, Qwen3 or static embeddings; of pictures, ViT, DINOv2, CLIP, SigLIP, ResNet and ConvNeXt; of sounds, Whisper; from safetensors |
//!
//! Nothing is downloaded. The result depends on contents, model and settings alone, not on the number of threads and not
//! on whether the run was cut short and continued.
//!
//! ```no_run
//! use equipoise_encode::{EncodeProgress, TextRequest, encode_texts};
//! let request = TextRequest { data: "my-data".into(), model: "builtin".into(), ..TextRequest::default() };
//! let mut listener = |progress: &EncodeProgress| eprintln!("{} of {}", progress.done, progress.total);
//! let report = encode_texts(&request, &mut listener)?;
//! println!("{} rows of {} columns, {} without text", report.rows, report.width, report.missing);
//! # Ok::<(), equipoise_encode::EncodeError>(())
//! ```

mod audio;
mod entities;
mod error;
mod file_job;
#[cfg(test)]
mod golden;
mod item_files;
mod item_texts;
mod job;
mod json;
mod model_dir;
mod text;
mod transformer;
mod vision;

pub use audio::{AudioRequest, encode_audio};
pub use error::EncodeError;
pub use job::{BrokenItem, EncodeProgress, EncodeReport, HashedFile};
pub use text::{TextRequest, encode_texts};
pub use vision::{ImagePooling, ImageRequest, encode_images, picture_paths};
