//! An interval for a change, over users and seeds together.

use equipoise_data::{Seed, Stream};

/// Resamplings of an interval.
const REPLICATES: usize = 2000;

/// The middle 95 % of `mean(to) / mean(from) - 1` when users and seeds are drawn anew, with replacement and independently of one another
/// (the two-way bootstrap: A. B. Owen, *The pigeonhole bootstrap*, Annals of Applied Statistics 2007). `from` and `to` hold the values of
/// each seed, a value per user, of the same seeds and users in one order; of one seed only users are drawn. Draws derive from a seed of
/// their own, so that the same values give the same interval. It is somewhat too narrow for very few seeds, as every bootstrap.
///
/// `None` without values, where their numbers differ, or where a mean of `from` is not above 0.
pub fn two_way_interval(from: &[&[f64]], to: &[&[f64]]) -> Option<[f64; 2]> {
    let users = from.first()?.len();
    let is_even = from.len() == to.len() && from.iter().chain(to).all(|values| values.len() == users);
    if users == 0 || !is_even {
        return None;
    }
    let mut stream = Seed(0).stream("two-way interval");
    let mut changes: Vec<f64> = (0..REPLICATES).map(|_| replicate(from, to, &mut stream)).collect();
    if changes.iter().any(|change| !change.is_finite()) {
        return None;
    }
    changes.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| changes[(share * (REPLICATES - 1) as f64).round() as usize];
    Some([at(0.025), at(0.975)])
}

/// The change in one draw of users and seeds.
fn replicate(from: &[&[f64]], to: &[&[f64]], stream: &mut Stream) -> f64 {
    let users = drawn(from[0].len(), stream);
    let seeds = drawn(from.len(), stream);
    let sum = |values: &[&[f64]]| -> f64 {
        let of_seed = |(values, &times): (&&[f64], &f64)| {
            if times == 0.0 {
                0.0
            } else {
                times * values.iter().zip(&users).map(|(v, t)| v * t).sum::<f64>()
            }
        };
        values.iter().zip(&seeds).map(of_seed).sum()
    };
    sum(to) / sum(from) - 1.0
}

/// How often each of `n` is drawn in `n` draws.
fn drawn(n: usize, stream: &mut Stream) -> Vec<f64> {
    let bound = u32::try_from(n).expect("there are fewer users than 2^32");
    let mut times = vec![0.0; n];
    (0..n).for_each(|_| times[stream.below(bound) as usize] += 1.0);
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize, mean: f64, name: &str) -> Vec<f64> {
        let mut stream = Seed(1).stream(name);
        (0..n).map(|_| mean + stream.unit() - 0.5).collect()
    }

    #[test]
    fn without_spread_between_seeds_it_is_the_interval_over_users() {
        let (from, gain) = (noise(400, 1.0, "from"), noise(400, 0.1, "gain"));
        let to: Vec<f64> = from.iter().zip(&gain).map(|(a, b)| a + b).collect();
        let one = two_way_interval(&[&from], &[&to]).unwrap();
        let three = two_way_interval(&[&from[..]; 3], &[&to[..]; 3]).unwrap();
        // Seeds that are all the same add nothing: the error of the mean gain is sqrt(1/12/400) = 0.0144 of 1.0.
        for [low, high] in [one, three] {
            assert!(
                low < 0.1 && high > 0.1 && ((high - low) - 2.0 * 1.96 * 0.0144).abs() < 0.01,
                "{low} {high}"
            );
        }
        assert_eq!(one, two_way_interval(&[&from], &[&to]).unwrap());
    }

    #[test]
    fn seeds_that_disagree_widen_it_past_what_users_alone_say() {
        let from = vec![1.0; 500];
        let [up, down] = [vec![1.2; 500], vec![0.9; 500]];
        let users_alone = two_way_interval(&[&from], &[&up]).unwrap();
        assert!(users_alone.iter().all(|v| (v - 0.2).abs() < 1e-12), "every user gains 20 %");
        let [low, high] = two_way_interval(&[&from[..]; 4], &[&up, &down, &up, &down]).unwrap();
        assert!(low < -0.05 && high > 0.15, "{low} {high}");
    }

    #[test]
    fn what_cannot_be_compared_has_no_interval() {
        assert_eq!(two_way_interval(&[], &[]), None);
        assert_eq!(two_way_interval(&[&[]], &[&[]]), None);
        assert_eq!(two_way_interval(&[&[1.0]], &[&[1.0, 2.0]]), None);
        assert_eq!(two_way_interval(&[&[1.0]], &[]), None);
        assert_eq!(two_way_interval(&[&[0.0, 0.0]], &[&[1.0, 2.0]]), None);
    }
}
