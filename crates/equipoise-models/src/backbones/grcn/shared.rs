//! All ablations of a step at once: attention once per modality, silenced channels in closed form, the ids'
//! branch once per ablation. The last layer of each is made for the requested nodes alone.

use super::config::Fusion;
use super::{Grcn, Modality, mean};
use crate::nodes::{even_attention, repeated_rows, unit_content, unit_ids};
use crate::requested::{RequestedEdges, RequestedNodes};
use crate::{Ablation, Block, Encoded, Pass, Request, Tables, View};
use burn::tensor::Tensor;
use equipoise_nn::{collect, normalise_rows};
use std::ops::Range;

/// What a modality gives, heard or silenced.
struct State {
    /// Its part of the final rows, where the fusion has one and it is needed.
    block: Option<Block>,
    /// Its vote on every edge.
    vote: Tensor<1>,
}

/// Both states of a modality, those that some ablation needs.
struct States {
    heard: Option<State>,
    silenced: Option<State>,
}

impl States {
    fn under(&self, silenced: bool) -> &State {
        let state = if silenced { &self.silenced } else { &self.heard };
        state.as_ref().expect("made for the ablations requested")
    }
}

impl Grcn {
    pub(super) fn encode_shared(&self, request: &Request) -> Encoded {
        let pass = request.pass(Ablation::FULL).everything();
        let ids = collect(unit_ids(&pass));
        let requested = RequestedNodes::of(request).edges(pass.inputs().graphs.edges());
        let even = even_attention(requested.all(), &ids.device());
        let states = |(m, modality): (usize, &Modality)| {
            let needed = |silenced| request.ablations.iter().any(|a| a.silences(m) == silenced);
            States {
                heard: needed(false).then(|| self.heard(&pass, &requested, modality)),
                silenced: needed(true).then(|| self.silenced(request, &pass, modality, even.clone())),
            }
        };
        let states: Vec<States> = self.modalities.iter().enumerate().map(states).collect();
        let mut encoded = Encoded::default();
        for &ablation in request.ablations {
            let pass = request.pass(ablation);
            let states = states.iter().enumerate().map(|(m, s)| s.under(ablation.silences(m)));
            encoded.views.push(View { ablation, blocks: vec![encoded.blocks.len()] });
            encoded.blocks.push(self.block_of_ids(
                &pass,
                &requested,
                ids.clone(),
                &states.collect::<Vec<_>>(),
            ));
            encoded.extra = encoded.extra.or_else(|| self.penalty(&pass));
        }
        if self.config.fusion == Fusion::Concat {
            states.into_iter().enumerate().for_each(|(m, states)| append(&mut encoded, m, states));
        }
        encoded
    }

    /// The block that each ablation has for itself: `C_id`, or the mean of all blocks.
    fn block_of_ids(
        &self,
        pass: &Pass,
        requested: &RequestedEdges,
        ids: Tensor<2>,
        states: &[&State],
    ) -> Block {
        let votes = states.iter().map(|s| s.vote.clone()).collect();
        let rows = self.id_branch(pass, requested, ids, votes);
        let Tables { users, items, .. } = requested.nodes().tables(rows);
        if self.config.fusion != Fusion::Mean {
            return Block::varying(users, items);
        }
        let blocks = || states.iter().filter_map(|s| s.block.as_ref());
        let users = std::iter::once(users).chain(blocks().map(|b| b.users.clone())).collect();
        let items = std::iter::once(items).chain(blocks().map(|b| b.items.clone())).collect();
        Block::varying(mean(users), mean(items))
    }

    fn heard(&self, pass: &Pass, requested: &RequestedEdges, modality: &Modality) -> State {
        let channel = self.channel(pass, modality);
        let block = (self.config.fusion != Fusion::Id).then(|| {
            let tables = requested.nodes().tables(channel.rows(requested));
            Block::varying(tables.users, tables.items)
        });
        State { block, vote: self.vote(pass, modality, channel.attention) }
    }

    fn silenced(&self, request: &Request, pass: &Pass, modality: &Modality, even: Tensor<1>) -> State {
        let isolated = Isolated::new(request);
        // Equal rows for all items move no margin: only the penalty and a mean of blocks see them.
        let wanted = match self.config.fusion {
            Fusion::Concat => request.constants || isolated.items.is_some(),
            Fusion::Id => false,
            Fusion::Mean => true,
        };
        let block = wanted.then(|| self.closed_form(pass, modality, &isolated));
        State { block, vote: self.vote(pass, modality, even) }
    }

    /// The block of a silenced channel, without a look at edges.
    fn closed_form(&self, pass: &Pass, modality: &Modality, isolated: &Isolated) -> Block {
        let user = normalise_rows(modality.content.mean_preference(pass));
        let item = unit_content(modality.content.projected_mean(pass));
        let routed = (0..self.iterations()).fold(user.clone(), |q, _| normalise_rows(q + item.clone()));
        let connected = routed + item.clone();
        if isolated.users.is_none() && isolated.items.is_none() {
            return Block::constant(connected.clone(), connected);
        }
        let users = spread(connected.clone(), user, &isolated.users, isolated.n_users);
        Block::varying(users, spread(connected, item, &isolated.items, isolated.n_items))
    }
}

/// Which of the requested rows have no neighbour; `None` on a side of the graph where every node has one.
struct Isolated {
    users: Option<Vec<bool>>,
    items: Option<Vec<bool>>,
    n_users: usize,
    n_items: usize,
}

impl Isolated {
    fn new(request: &Request) -> Isolated {
        let (graph, users) = (request.inputs.graphs.bipartite(), request.inputs.n_users);
        let side = |nodes: Range<usize>, rows: &[u32]| {
            let flag = |&r: &u32| graph.degree(nodes.start + r as usize) == 0;
            nodes.clone().any(|n| graph.degree(n) == 0).then(|| rows.iter().map(flag).collect())
        };
        Isolated {
            users: side(0..users, request.users.rows()),
            items: side(users..graph.n_nodes(), request.items.rows()),
            n_users: request.users.len(),
            n_items: request.items.len(),
        }
    }
}

/// One row for connected nodes, another for isolated ones.
fn spread(connected: Tensor<2>, isolated: Tensor<2>, flags: &Option<Vec<bool>>, n: usize) -> Tensor<2> {
    let both = Tensor::cat(vec![connected, isolated], 0);
    let row = |k: usize| flags.as_ref().map_or(0, |flags| u32::from(flags[k]));
    repeated_rows(both, (0..n).map(row))
}

/// Adds a modality's blocks to the views that hold it in that state.
fn append(encoded: &mut Encoded, m: usize, states: States) {
    for (silenced, state) in [(false, states.heard), (true, states.silenced)] {
        if let Some(block) = state.and_then(|s| s.block) {
            let views = encoded.views.iter_mut().filter(|v| v.ablation.silences(m) == silenced);
            views.for_each(|view| view.blocks.push(encoded.blocks.len()));
            encoded.blocks.push(block);
        }
    }
}
