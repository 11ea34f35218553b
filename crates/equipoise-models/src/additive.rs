//! Scores that are a sum over modalities, or read none: no pass beyond the plain one.

use crate::{Backbone, Block, Encoded, Request, Tables, View};

/// The answer of a backbone with `y_hat = y_id + sum_m s^m` and no cross terms: block 0 is that of the ids,
/// and each view adds, per modality, its real block or its silenced one. Each block is made once, if any view
/// needs it; `silenced` returns `None` where it would be constant and nobody requested constants.
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

/// The answer of a backbone whose tables no ablation changes: one plain pass, whose one block all views share.
pub fn encode_once<B: Backbone + ?Sized>(backbone: &B, request: &Request) -> Encoded {
    // Under the primary ablation, so that the backbone's own losses are part of the pass.
    let Tables { users, items, extra } = backbone.forward(&request.pass(request.primary));
    let view = |&ablation| View { ablation, blocks: vec![0] };
    let views = request.ablations.iter().map(view).collect();
    Encoded { blocks: vec![Block::varying(users, items)], views, extra }
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
