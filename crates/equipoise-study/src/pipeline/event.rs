//! What happens in a pipeline.

use crate::search::SearchEvent;
use equipoise_encode::EncodeProgress;
use equipoise_train::Event;

/// Something that happened in a pipeline.
#[derive(Clone, Debug)]
pub enum PipelineEvent {
    /// Something worth saying, in a sentence.
    Note(String),
    /// In a training.
    Training(Event),
    /// In an encoding.
    Encoding(EncodeProgress),
    /// In a search.
    Searching {
        /// The metric that is compared.
        metric: String,
        /// What happened.
        event: SearchEvent,
    },
    /// A stage is done.
    Done {
        /// Its number, from 1.
        stage: usize,
        /// How many there are.
        total: usize,
        /// How long it took.
        seconds: f64,
    },
}
