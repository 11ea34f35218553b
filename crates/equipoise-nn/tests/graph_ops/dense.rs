//! Dense float64 tables, and derivatives of anything made of them by central differences: no formula in common
//! with the operations under test.

use equipoise_data::graph::{Csr, Edges};

/// A row-major table.
#[derive(Clone, Debug)]
pub struct Table {
    pub rows: usize,
    pub width: usize,
    pub values: Vec<f64>,
}

impl Table {
    pub fn zeros(rows: usize, width: usize) -> Table {
        Table { rows, width, values: vec![0.0; rows * width] }
    }

    pub fn column(values: Vec<f64>) -> Table {
        Table { rows: values.len(), width: 1, values }
    }

    pub fn row(&self, r: usize) -> &[f64] {
        &self.values[r * self.width..][..self.width]
    }

    pub fn times(&self, other: &Table) -> Table {
        assert_eq!(self.width, other.rows, "inner sizes");
        let mut out = Table::zeros(self.rows, other.width);
        for (r, row) in out.values.chunks_mut(other.width).enumerate() {
            for (inner, factor) in self.row(r).iter().enumerate() {
                row.iter_mut().zip(other.row(inner)).for_each(|(sum, x)| *sum += factor * x);
            }
        }
        out
    }
}

/// A sparse matrix with its zeros.
pub fn matrix(sparse: &Csr) -> Table {
    let mut out = Table::zeros(sparse.n(), sparse.n_columns());
    for r in 0..sparse.n() {
        sparse.row(r).for_each(|(c, value)| out.values[r * out.width + c as usize] += f64::from(value));
    }
    out
}

/// `(target, source)` of each edge.
fn pairs(edges: &Edges) -> Vec<(usize, usize)> {
    let of_target = |t: usize| (edges.indptr()[t]..edges.indptr()[t + 1]).map(move |e| (t, e));
    let all = (0..edges.n_targets()).flat_map(of_target);
    all.map(|(t, e)| (t, edges.sources()[e] as usize)).collect()
}

/// `targets x sources`: the sum of the weights of the edges between each pair.
pub fn weighted(edges: &Edges, weights: &[f64]) -> Table {
    let mut out = Table::zeros(edges.n_targets(), edges.n_sources());
    for ((t, s), weight) in pairs(edges).into_iter().zip(weights) {
        out.values[t * out.width + s] += weight;
    }
    out
}

/// Per edge `exp(l) / sum exp(l)` over the edges into its target, `l = <q_t, k_s>` from the whole of `Q K^T`.
pub fn softmax(edges: &Edges, q: &Table, k: &Table) -> Vec<f64> {
    let logit = |t: usize, s: usize| q.row(t).iter().zip(k.row(s)).map(|(a, b)| a * b).sum::<f64>();
    let logits: Vec<Vec<f64>> = (0..q.rows).map(|t| (0..k.rows).map(|s| logit(t, s)).collect()).collect();
    let (pairs, mut largest) = (pairs(edges), vec![f64::NEG_INFINITY; q.rows]);
    pairs.iter().for_each(|&(t, s)| largest[t] = largest[t].max(logits[t][s]));
    let weights: Vec<f64> = pairs.iter().map(|&(t, s)| (logits[t][s] - largest[t]).exp()).collect();
    let mut sums = vec![0.0; q.rows];
    pairs.iter().zip(&weights).for_each(|(&(t, _), w)| sums[t] += w);
    pairs.iter().zip(&weights).map(|(&(t, _), w)| w / sums[t]).collect()
}

/// `d/dx sum_k upstream_k f(x)_k` for every entry of every table.
pub fn derivatives(f: impl Fn(&[Table]) -> Table, tables: &[Table], upstream: &[f64]) -> Vec<Vec<f64>> {
    const H: f64 = 1e-4;
    let mut moved = tables.to_vec();
    let loss = |tables: &[Table]| f(tables).values.iter().zip(upstream).map(|(a, b)| a * b).sum::<f64>();
    let mut all = Vec::new();
    for (which, original) in tables.iter().enumerate() {
        let mut of_table = Vec::new();
        for (at, x) in original.values.iter().enumerate() {
            let mut shifted = |to: f64| {
                moved[which].values[at] = to;
                loss(&moved)
            };
            of_table.push((shifted(x + H) - shifted(x - H)) / (2.0 * H));
            moved[which].values[at] = *x;
        }
        all.push(of_table);
    }
    all
}
