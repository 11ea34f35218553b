//! Directed edge sets, by target and by source.

use crate::bipartite::Bipartite;
use crate::csr::transpose;
use equipoise_data::Attached;
use equipoise_kernels::sparse::{BySource, SparseRows};

/// Directed edges from sources to targets, in compressed rows by target and again by source. Edges are
/// numbered by target; weights are kept in that order, and the rows by source carry the numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edges {
    n_targets: usize,
    n_sources: usize,
    indptr: Vec<usize>,
    sources: Vec<u32>,
    transposed_indptr: Vec<usize>,
    targets: Vec<u32>,
    edges: Vec<u32>,
    attached: Attached,
}

impl Edges {
    /// Target `t` receives from `sources[indptr[t]..indptr[t + 1]]`, each below `n_sources`.
    ///
    /// # Panics
    /// If a source or the bounds do not fit, or targets or edges exceed the `u32` numbers.
    pub fn new(n_sources: usize, indptr: Vec<usize>, sources: Vec<u32>) -> Edges {
        let (transposed_indptr, targets, edges) = transpose(n_sources, &indptr, &sources);
        let n_targets = indptr.len() - 1;
        let attached = Attached::default();
        Edges { n_targets, n_sources, indptr, sources, transposed_indptr, targets, edges, attached }
    }

    /// Among all `N` nodes, both directions: an interaction of `u` and `i` gives `u -> i` and `i -> u`.
    pub fn bidirectional(graph: &Bipartite) -> Edges {
        Edges::new(graph.n_nodes(), graph.indptr().to_vec(), graph.indices().to_vec())
    }

    /// From items to users: targets are users, sources are items, both counted from 0.
    pub fn to_users(graph: &Bipartite) -> Edges {
        let indptr = graph.indptr()[..=graph.n_users()].to_vec();
        let items = &graph.indices()[..graph.n_edges() / 2];
        let sources = items.iter().map(|&node| node - graph.n_users() as u32).collect();
        Edges::new(graph.n_items(), indptr, sources)
    }

    /// From users to items: targets are items, sources are users, both counted from 0.
    pub fn to_items(graph: &Bipartite) -> Edges {
        let half = graph.n_edges() / 2;
        let indptr = graph.indptr()[graph.n_users()..].iter().map(|bound| bound - half).collect();
        Edges::new(graph.n_users(), indptr, graph.indices()[half..].to_vec())
    }

    /// Number of targets.
    pub fn n_targets(&self) -> usize {
        self.n_targets
    }

    /// Number of sources.
    pub fn n_sources(&self) -> usize {
        self.n_sources
    }

    /// Number of edges.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether there is no edge.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Bounds by target, `n_targets + 1` of them.
    pub fn indptr(&self) -> &[usize] {
        &self.indptr
    }

    /// Source of each edge, by target.
    pub fn sources(&self) -> &[u32] {
        &self.sources
    }

    /// Bounds by source, `n_sources + 1` of them.
    pub fn transposed_indptr(&self) -> &[usize] {
        &self.transposed_indptr
    }

    /// Target of each edge, by source.
    pub fn targets(&self) -> &[u32] {
        &self.targets
    }

    /// Number of each edge, by source: where its weight stands among the edges by target.
    pub fn edge_numbers(&self) -> &[u32] {
        &self.edges
    }

    /// What is kept with the edges.
    pub fn attached(&self) -> &Attached {
        &self.attached
    }

    /// The rows by target, as the kernels take them.
    pub fn by_target(&self) -> SparseRows<'_> {
        SparseRows { indptr: &self.indptr, columns: &self.sources }
    }

    /// The rows by source, as the kernels take them.
    pub fn by_source(&self) -> BySource<'_> {
        let rows = SparseRows { indptr: &self.transposed_indptr, columns: &self.targets };
        BySource { rows, edges: &self.edges }
    }
}
