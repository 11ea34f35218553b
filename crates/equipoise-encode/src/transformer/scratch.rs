//! Buffers of one batch.

/// Memory for one batch, used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(super) qkv: Vec<f32>,
    pub(super) context: Vec<f32>,
    pub(super) scores: Vec<f32>,
    pub(super) head: Vec<f32>,
    pub(super) normed: Vec<f32>,
    pub(super) hidden: Vec<f32>,
    pub(super) change: Vec<f32>,
}
