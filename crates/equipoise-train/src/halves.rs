//! Validation in two halves of its users: one for what a balancer measures, one on which models are selected.

use equipoise_data::{Interactions, Seed};

/// Validation in two halves of its users.
pub(crate) struct Halves {
    /// What a balancer measures.
    pub(crate) measured: Interactions,
    /// What models are selected on.
    pub(crate) selecting: Interactions,
}

impl Halves {
    /// Two halves drawn from the seed's stream `validation halves`, the same for every model of a run. One that has an odd user more is
    /// the half on which models are selected. `None` if there are fewer than four users.
    pub(crate) fn of(validation: &Interactions, seed: Seed) -> Option<Halves> {
        let mut users = validation.users_with_items();
        if users.len() < 4 {
            return None;
        }
        let mut stream = seed.stream("validation halves");
        let half = users.len() / 2;
        // The first steps of Fisher and Yates: a random half comes to the front.
        for place in 0..half {
            let other = place + stream.below((users.len() - place) as u32) as usize;
            users.swap(place, other);
        }
        let mut is_measured = vec![false; validation.n_users()];
        users[..half].iter().for_each(|&user| is_measured[user as usize] = true);
        let part = |wanted: bool| {
            let pairs: Vec<_> =
                validation.pairs().filter(|&(user, _)| is_measured[user as usize] == wanted).collect();
            Interactions::from_pairs(validation.n_users(), validation.n_items(), &pairs).0
        };
        Some(Halves { measured: part(true), selecting: part(false) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_halves_share_no_user_and_are_the_whole() {
        let pairs: Vec<(u32, u32)> = (0..41).flat_map(|user| [(user, user % 7), (user, 8)]).collect();
        let whole = Interactions::from_pairs(50, 9, &pairs).0;
        let Halves { measured, selecting } = Halves::of(&whole, Seed(3)).unwrap();
        let (a, b) = (measured.users_with_items(), selecting.users_with_items());
        assert_eq!((a.len(), b.len()), (20, 21));
        assert!(a.iter().all(|user| !b.contains(user)));
        let mut all: Vec<(u32, u32)> = measured.pairs().chain(selecting.pairs()).collect();
        all.sort_unstable();
        assert_eq!(all, whole.pairs().collect::<Vec<_>>());
        assert_ne!(Halves::of(&whole, Seed(4)).unwrap().measured.users_with_items(), a, "another seed");
        assert_eq!(Halves::of(&whole, Seed(3)).unwrap().measured.users_with_items(), a, "the same seed");
        assert!(Halves::of(&Interactions::from_pairs(3, 3, &[(0, 0), (1, 0), (2, 0)]).0, Seed(1)).is_none());
    }
}
