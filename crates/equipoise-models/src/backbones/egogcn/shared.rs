//! All ablations of a step at once: ids, node tables, gates and attention of heard modalities once, silenced
//! modalities from their two rows. The last step of each channel is made for the requested nodes alone.

use super::EgoGcn;
use super::channel::{Hearing, Source};
use super::config::Modulation;
use crate::nodes::{even_attention, unit_content};
use crate::pass::repeat;
use crate::requested::RequestedNodes;
use crate::{Ablation, Block, Encoded, Pass, Request, Tables, View};
use burn::tensor::Tensor;
use equipoise_nn::{collect, stack};

/// Both states of a modality, those that some ablation needs.
struct Sources {
    heard: Option<Source>,
    silenced: Option<Source>,
}

impl Sources {
    fn under(&self, silenced: bool) -> &Source {
        let source = if silenced { &self.silenced } else { &self.heard };
        source.as_ref().expect("made for the ablations requested")
    }
}

impl EgoGcn {
    pub(super) fn encode_shared(&self, request: &Request) -> Encoded {
        let pass = request.pass(Ablation::FULL).everything();
        let sources = self.sources(request, &pass);
        let requested = RequestedNodes::of(request);
        let last = requested.edges(pass.inputs().graphs.edges());
        let mut encoded = Encoded::default();
        encoded.blocks.push(varying(requested.tables(self.id_branch(&pass, &requested))));
        for &ablation in request.ablations {
            let sources = sources.iter().enumerate().map(|(m, s)| s.under(ablation.silences(m)));
            let channels = self.channels(&pass, &last, &sources.collect::<Vec<_>>());
            let first = encoded.blocks.len();
            encoded.blocks.extend(channels.into_iter().map(|rows| varying(requested.tables(rows))));
            let blocks = std::iter::once(0).chain(first..encoded.blocks.len()).collect();
            encoded.views.push(View { ablation, blocks });
            encoded.extra = encoded.extra.or_else(|| self.penalty(&request.pass(ablation)));
        }
        encoded
    }

    fn sources(&self, request: &Request, pass: &Pass) -> Vec<Sources> {
        let requested =
            |m: usize, silenced: bool| request.ablations.iter().any(|a| a.silences(m) == silenced);
        let n = self.modalities.len();
        let even = (0..n).any(|m| requested(m, true)).then(|| self.even_hearing(pass));
        let sources = |m: usize| Sources {
            heard: requested(m, false).then(|| self.source(pass, m, self.nodes(pass, m))),
            silenced: even.clone().filter(|_| requested(m, true)).map(|even| self.silenced(pass, m, even)),
        };
        (0..n).map(sources).collect()
    }

    /// A silenced modality, from one row for all users and one for all items.
    fn silenced(&self, pass: &Pass, m: usize, hearing: Hearing) -> Source {
        let item = unit_content(self.modalities[m].content.projected_mean(pass));
        let sides = stack(self.mean_preference(pass, m), item);
        let gated = self.gated(pass, m, &sides).into_iter();
        let gated = gated.map(|sides| sides.map(|sides| spread(pass, &sides))).collect();
        Source { nodes: collect(spread(pass, &sides)), hearing, gated, sides: Some(sides) }
    }

    /// The hearing of every silenced channel: `a_{j->n} = 1 / deg(n)`.
    fn even_hearing(&self, pass: &Pass) -> Hearing {
        let graphs = &pass.inputs().graphs;
        let device = pass.table("user.id").device();
        let attention = (!self.config.reattention).then(|| even_attention(&graphs.edges(), &device));
        let edges = match self.config.modulation {
            Modulation::Soft => graphs.edges(),
            Modulation::Hard => graphs.edges_by_even_attention(self.theta()),
        };
        Hearing { edges, attention }
    }
}

/// The users' row and the items' row as a table of all nodes.
fn spread(pass: &Pass, sides: &Tensor<2>) -> Tensor<2> {
    let row = |side: usize| sides.clone().narrow(0, side, 1);
    stack(repeat(row(0), pass.inputs().n_users), repeat(row(1), pass.inputs().n_items))
}

fn varying(Tables { users, items, .. }: Tables) -> Block {
    Block::varying(users, items)
}
