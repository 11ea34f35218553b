//! Features of texts without a model: weighted counts of words, and the directions in which they differ most.
//!
//! ```text
//! terms of a text   its words, and pairs of neighbouring words; where a script has no blanks, characters and pairs of them:
//!                   see `words`
//! column of a term  its FNV-1a hash, folded to 18 bits: one of 2^18
//! a_ic              (1 + ln n_ic) (1 + ln((1 + N) / (1 + N_c)))        n_ic times in text i, N texts, N_c of them with c
//! row i             a_i / |a_i|
//! features          A V_k                                              V_k: the first k right singular vectors of A
//! ```
//!
//! Columns that one text alone has are left out: they make no two items alike. Sources: Salton and Buckley 1988,
//! *Term-Weighting Approaches in Automatic Text Retrieval* (weights); Deerwester et al. 1990, *Indexing by Latent Semantic
//! Analysis* (singular vectors); Weinberger et al., ICML 2009, *Feature Hashing* (columns, here without signs); the
//! singular vectors are found as [`leading_directions`] says. The bits depend on the texts and on the kind of processor.

use equipoise_data::{LinearMap, leading_directions};
use rayon::prelude::*;

use super::words::words;

/// Bits of a column's number.
const BITS: u32 = 18;

/// Rounds of the power iteration: singular values of texts fall slowly.
const ROUNDS: usize = 6;

/// A sparse matrix, by rows and by columns.
pub(crate) struct Counts {
    rows: Compressed,
    columns: Compressed,
    /// Which text each row is of.
    texts: Vec<usize>,
}

/// Entries of each line, one line after another.
struct Compressed {
    ends: Vec<usize>,
    places: Vec<u32>,
    values: Vec<f64>,
}

impl Compressed {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn line(&self, n: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = if n == 0 { 0 } else { self.ends[n - 1] }..self.ends[n];
        self.places[range.clone()].iter().map(|&place| place as usize).zip(self.values[range].iter().copied())
    }

    /// The lines of the other direction.
    fn transposed(&self, lines: usize) -> Compressed {
        let mut ends = vec![0; lines];
        self.places.iter().for_each(|&place| ends[place as usize] += 1);
        let mut next = Vec::with_capacity(lines);
        let mut total = 0;
        for end in &mut ends {
            next.push(total);
            total += *end;
            *end = total;
        }
        let (mut places, mut values) = (vec![0; self.places.len()], vec![0.0; self.places.len()]);
        for n in 0..self.len() {
            for (place, value) in self.line(n) {
                (places[next[place]], values[next[place]]) = (n as u32, value);
                next[place] += 1;
            }
        }
        Compressed { ends, places, values }
    }

    /// `M X` for `X` with rows of length `l`.
    fn times(&self, x: &[f64], l: usize) -> Vec<f64> {
        let mut out = vec![0.0; self.len() * l];
        out.par_chunks_mut(l).enumerate().for_each(|(n, out)| {
            self.line(n).for_each(|(place, value)| add(out, value, &x[place * l..][..l]));
        });
        out
    }
}

equipoise_kernels::wide! {
    /// `out += factor * x`.
    fn add(out: &mut [f64], factor: f64, x: &[f64]) {
        out.iter_mut().zip(x).for_each(|(out, x)| *out += factor * x);
    }
}

impl Counts {
    /// The weighted counts of these texts.
    pub(crate) fn of(texts: &[&str]) -> Counts {
        let counts: Vec<Vec<(u32, u32)>> = texts.par_iter().map(|text| counted(text)).collect();
        let mut having = vec![0u32; 1 << BITS];
        counts.iter().flatten().for_each(|&(column, _)| having[column as usize] += 1);
        let kept: Vec<usize> = (0..having.len()).filter(|&c| having[c] > 1).collect();
        let mut number = vec![u32::MAX; having.len()];
        kept.iter().zip(0..).for_each(|(&column, n)| number[column] = n);
        let n = texts.len() as f64;
        let rarity: Vec<f64> =
            having.iter().map(|&h| 1.0 + ((1.0 + n) / (1.0 + f64::from(h))).ln()).collect();
        let mut rows = Compressed { ends: Vec::new(), places: Vec::new(), values: Vec::new() };
        let mut of = Vec::new();
        for (text, counts) in counts.iter().enumerate() {
            let shared = counts.iter().filter(|(column, _)| number[*column as usize] != u32::MAX);
            let start = rows.values.len();
            for &(column, count) in shared {
                rows.places.push(number[column as usize]);
                rows.values.push((1.0 + f64::from(count).ln()) * rarity[column as usize]);
            }
            let row = &mut rows.values[start..];
            let norm = row.iter().map(|v| v * v).sum::<f64>().sqrt();
            row.iter_mut().for_each(|v| *v /= norm);
            if !row.is_empty() {
                rows.ends.push(rows.values.len());
                of.push(text);
            }
        }
        Counts { columns: rows.transposed(kept.len()), rows, texts: of }
    }

    /// Most directions that there can be.
    pub(crate) fn most(&self) -> usize {
        self.rows.len().min(self.columns.len())
    }

    /// Terms that two texts have.
    pub(crate) fn terms(&self) -> usize {
        self.columns.len()
    }

    /// Which text each row of the features is of; texts that share no term with another have none.
    pub(crate) fn texts(&self) -> &[usize] {
        &self.texts
    }

    /// The features, `texts().len() x k`.
    ///
    /// # Panics
    /// If `k` exceeds [`most`](Self::most).
    pub(crate) fn features(&self, k: usize) -> Vec<f32> {
        let directions = leading_directions(self, k, ROUNDS, "builtin");
        let width = self.columns.len();
        let mut by_column = vec![0.0; width * k];
        for (v, direction) in directions.chunks_exact(width).enumerate() {
            direction.iter().enumerate().for_each(|(c, &x)| by_column[c * k + v] = x);
        }
        self.times(&by_column, k).into_iter().map(|v| v as f32).collect()
    }
}

impl LinearMap for Counts {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn width(&self) -> usize {
        self.columns.len()
    }

    fn times(&self, x: &[f64], l: usize) -> Vec<f64> {
        self.rows.times(x, l)
    }

    fn transposed_times(&self, q: &[f64], l: usize) -> Vec<f64> {
        self.columns.times(q, l)
    }
}

/// How often each column occurs in a text, by column.
fn counted(text: &str) -> Vec<(u32, u32)> {
    let words = words(text);
    let mut columns: Vec<u32> = words.iter().map(|word| column(&[word])).collect();
    columns.extend(words.windows(2).map(|pair| column(&[&pair[0], " ", &pair[1]])));
    columns.sort_unstable();
    columns.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u32)).collect()
}

/// The column of a term: 64-bit FNV-1a (Fowler, Noll and Vo 1991), its halves and then the rest folded together.
fn column(parts: &[&str]) -> u32 {
    let bytes = parts.iter().flat_map(|part| part.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let half = (hash >> 32) as u32 ^ hash as u32;
    (half >> BITS) ^ (half & ((1 << BITS) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_data::Seed;

    /// Texts about a few themes: a low rank, and noise.
    fn texts(count: usize) -> Vec<String> {
        let mut rng = Seed(5).stream("texts");
        let mut words = |theme: u32| {
            let word = |rng: &mut equipoise_data::Stream| match rng.below(4) {
                0 => format!("common{}", rng.below(9)),
                _ => format!("word{theme}x{}", rng.below(30)),
            };
            (0..8).map(|_| word(&mut rng)).collect::<Vec<_>>().join(" ")
        };
        (0..count).map(|n| words(n as u32 % 7)).collect()
    }

    fn counts(texts: &[String]) -> Counts {
        Counts::of(&texts.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[test]
    fn terms_are_words_in_lower_case_and_pairs_of_them() {
        assert_eq!(counted("Blue-TOWEL, blue towel!"), {
            let mut expected = vec![
                (column(&["blue"]), 2),
                (column(&["towel"]), 2),
                (column(&["blue", " ", "towel"]), 2),
                (column(&["towel", " ", "blue"]), 1),
            ];
            expected.sort_unstable();
            expected
        });
        assert!(counted(" -- !").is_empty());
        let shared = |a: &str, b: &str| {
            let columns: Vec<u32> = counted(a).into_iter().map(|(column, _)| column).collect();
            counted(b).into_iter().filter(|(column, _)| columns.contains(column)).count()
        };
        assert_eq!(shared("红色连衣裙", "蓝色连衣裙"), 4 + 3, "characters and pairs");
        assert_eq!(shared("红色连衣裙", "手机"), 0);
    }

    #[test]
    fn rows_have_norm_1_and_texts_with_nothing_in_common_have_none() {
        let counts = Counts::of(&["red cup", "unique", "blue cup", "!"]);
        assert_eq!(counts.texts(), [0, 2]);
        for n in 0..2 {
            let norm: f64 = counts.rows.line(n).map(|(_, v)| v * v).sum();
            assert!((norm - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn features_keep_nearly_as_much_as_the_best_rank_k_matrix() {
        let counts = counts(&texts(300));
        let k = 12;
        let kept = |features: &[f32]| features.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
        // Many more rounds and directions than are needed: the optimum, as Eckart and Young have it.
        let best = counts.times(
            &{
                let directions = leading_directions(&counts, 150, 30, "other");
                let width = counts.width();
                let mut by_column = vec![0.0; width * k];
                for (v, direction) in directions.chunks_exact(width).take(k).enumerate() {
                    direction.iter().enumerate().for_each(|(c, &x)| by_column[c * k + v] = x);
                }
                by_column
            },
            k,
        );
        let optimum: f64 = best.iter().map(|v| v * v).sum();
        let share = kept(&counts.features(k)) / optimum;
        assert!((0.9999..1.000_001).contains(&share), "{share}");
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        let texts = texts(120);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| counts(&texts).features(9))
        };
        assert!(with(1) == with(3));
    }
}
