//! Directed edge sets, by target and by source.

use super::bipartite::Bipartite;
use crate::csr::{CsrPattern, TransposedPattern};
use crate::device_cache::DeviceCache;
use equipoise_kernels::sparse::{BySource, SparseRows};

/// Directed edges from sources to targets, in compressed rows by target and again by source. Edges are
/// numbered by target; weights are kept in that order, and the rows by source carry the numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edges {
    by_target: CsrPattern,
    by_source: TransposedPattern,
    device_cache: DeviceCache,
}

impl Edges {
    /// Target `t` receives from `sources[indptr[t]..indptr[t + 1]]`, each below `n_sources`.
    ///
    /// # Panics
    /// If a source or the bounds do not fit, or targets or edges exceed the `u32` numbers.
    pub fn new(n_sources: usize, indptr: Vec<usize>, sources: Vec<u32>) -> Edges {
        Edges::of(CsrPattern::new(n_sources, indptr, sources))
    }

    /// The edges of a pattern with one row per target, whose columns are sources.
    fn of(by_target: CsrPattern) -> Edges {
        Edges { by_source: by_target.transposed(), by_target, device_cache: DeviceCache::default() }
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

    /// The same edges with a second set of as many sources: those that `second` picks, by their number, come from
    /// `s + n_sources` in place of `s`. The same as [`new`](Self::new) makes, without sorting again: `O(edges + sources)`.
    ///
    /// # Panics
    /// If twice the sources exceed the `u32` numbers.
    pub fn branched(&self, second: impl Fn(usize) -> bool) -> Edges {
        let n = u32::try_from(self.n_sources()).ok().filter(|n| n.checked_mul(2).is_some());
        let n = n.expect("two sets of sources have u32 numbers");
        let branch = |(edge, &source): (usize, &u32)| source + n * u32::from(second(edge));
        let sources = self.sources().iter().enumerate().map(branch).collect();
        let [mut first, mut other] = [(); 2].map(|()| Branch::new(self.len(), self.n_sources()));
        for source in self.transposed_indptr().windows(2) {
            for at in source[0]..source[1] {
                let (target, edge) = (self.targets()[at], self.edge_numbers()[at]);
                let to_other = second(edge as usize);
                // Both are written and one goes on: which is as good as chance, and a wrong guess costs more.
                first.write(target, edge, !to_other);
                other.write(target, edge, to_other);
            }
            first.close();
            other.close();
        }
        let by_target = CsrPattern::new(2 * self.n_sources(), self.indptr().to_vec(), sources);
        let by_source = first.followed_by(other, self.n_targets());
        Edges { by_target, by_source, device_cache: DeviceCache::default() }
    }

    /// The edges into some targets, which are numbered from 0 in the order of `rows`, and the number that each of them has
    /// here: `O(their edges + sources)`.
    ///
    /// # Panics
    /// If there is no such target.
    pub fn into_targets(&self, rows: &[u32]) -> (Edges, Vec<u32>) {
        let (some, entries) = self.by_target.of_rows(rows);
        // All edges have `u32` numbers, or there would be no transpose.
        (Edges::of(some), entries.into_iter().map(|edge| edge as u32).collect())
    }

    /// Number of targets.
    pub fn n_targets(&self) -> usize {
        self.by_target.n_rows()
    }

    /// Number of sources.
    pub fn n_sources(&self) -> usize {
        self.by_target.n_columns()
    }

    /// Number of edges.
    pub fn len(&self) -> usize {
        self.by_target.nnz()
    }

    /// Whether there is no edge.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bounds by target, `n_targets + 1` of them.
    pub fn indptr(&self) -> &[usize] {
        self.by_target.indptr()
    }

    /// Source of each edge, by target.
    pub fn sources(&self) -> &[u32] {
        self.by_target.indices()
    }

    /// Bounds by source, `n_sources + 1` of them.
    pub fn transposed_indptr(&self) -> &[usize] {
        self.by_source.pattern.indptr()
    }

    /// Target of each edge, by source.
    pub fn targets(&self) -> &[u32] {
        self.by_source.pattern.indices()
    }

    /// Number of each edge, by source: where its weight stands among the edges by target.
    pub fn edge_numbers(&self) -> &[u32] {
        &self.by_source.entries
    }

    /// Copies of the edges on devices.
    pub fn device_cache(&self) -> &DeviceCache {
        &self.device_cache
    }

    /// The rows by target, as the kernels take them.
    pub fn by_target(&self) -> SparseRows<'_> {
        self.by_target.sparse_rows()
    }

    /// The rows by source, as the kernels take them.
    pub fn by_source(&self) -> BySource<'_> {
        BySource { rows: self.by_source.pattern.sparse_rows(), edges: &self.by_source.entries }
    }
}

/// The edges of one set of sources, by source.
struct Branch {
    bounds: Vec<usize>,
    /// Targets and edge numbers; what stands from `length` on is overwritten.
    targets: Vec<u32>,
    edges: Vec<u32>,
    length: usize,
}

impl Branch {
    fn new(edges: usize, sources: usize) -> Branch {
        let mut bounds = Vec::with_capacity(2 * sources + 1);
        bounds.push(0);
        // One more place, for what is written and not kept after all edges were.
        Branch { bounds, targets: vec![0; edges + 1], edges: vec![0; edges + 1], length: 0 }
    }

    fn write(&mut self, target: u32, edge: u32, keep: bool) {
        (self.targets[self.length], self.edges[self.length]) = (target, edge);
        self.length += usize::from(keep);
    }

    /// Ends the edges of one source.
    fn close(&mut self) {
        self.bounds.push(self.length);
    }

    /// The edges of both sets of sources, the second set's numbered after the first's.
    fn followed_by(mut self, other: Branch, n_targets: usize) -> TransposedPattern {
        self.bounds.extend(other.bounds[1..].iter().map(|bound| self.length + bound));
        self.targets.truncate(self.length);
        self.targets.extend_from_slice(&other.targets[..other.length]);
        self.edges.truncate(self.length);
        self.edges.extend_from_slice(&other.edges[..other.length]);
        let pattern = CsrPattern::new(n_targets, self.bounds, self.targets);
        TransposedPattern { pattern, entries: self.edges }
    }
}
