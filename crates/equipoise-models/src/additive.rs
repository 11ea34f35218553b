//! Scores that are a sum over modalities: no pass beyond the plain one.

use crate::{Block, Encoded, Request, View};

/// The answer of a backbone with `y_hat = y_id + sum_m s^m` and no cross terms: block 0 is that of the ids,
/// and each view adds, per modality, its real block or its silenced one. Each block is made once, if any view
/// needs it; `silenced` returns `None` where it would be constant and nobody asked for constants.
pub fn encode_additively(
    request: &Request,
    ids: Block,
    real: impl Fn(usize) -> Block,
    silenced: impl Fn(usize) -> Option<Block>,
) -> Encoded {
    let mut blocks = vec![ids];
    let view = |&ablation| View { ablation, blocks: vec![0] };
    let mut views: Vec<View> = request.ablations.iter().map(view).collect();
    for m in 0..request.inputs.n_modalities() {
        let (without, with): (Vec<_>, Vec<_>) = views.iter_mut().partition(|v| v.ablation.silences(m));
        add(&mut blocks, with, || Some(real(m)));
        add(&mut blocks, without, || silenced(m));
    }
    Encoded { blocks, views, extra: None }
}

fn add(blocks: &mut Vec<Block>, views: Vec<&mut View>, make: impl FnOnce() -> Option<Block>) {
    if views.is_empty() {
        return;
    }
    if let Some(block) = make() {
        views.into_iter().for_each(|v| v.blocks.push(blocks.len()));
        blocks.push(block);
    }
}
