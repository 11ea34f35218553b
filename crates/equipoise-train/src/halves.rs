//! The half of validation that a balancer measures.

use equipoise_data::{Interactions, Seed};

/// The validation interactions of one half of the users, drawn from the seed's stream `validation halves`, the same for every model of a
/// run. Of an odd number of users the smaller half is taken. `None` if there are fewer than four users.
pub(crate) fn measured_half(validation: &Interactions, seed: Seed) -> Option<Interactions> {
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
    let pairs: Vec<_> = validation.pairs().filter(|&(user, _)| is_measured[user as usize]).collect();
    Some(Interactions::from_pairs(validation.n_users(), validation.n_items(), &pairs).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_users_is_there_with_all_that_they_took() {
        let pairs: Vec<(u32, u32)> = (0..41).flat_map(|user| [(user, user % 7), (user, 8)]).collect();
        let whole = Interactions::from_pairs(50, 9, &pairs).0;
        let half = |seed| measured_half(&whole, Seed(seed)).unwrap();
        let users = half(3).users_with_items();
        assert_eq!(users.len(), 20);
        assert!(users.iter().all(|&user| half(3).items_of(user) == whole.items_of(user)));
        assert_ne!(half(4).users_with_items(), users, "another seed");
        assert_eq!(half(3).users_with_items(), users, "the same seed");
        assert!(
            measured_half(&Interactions::from_pairs(3, 3, &[(0, 0), (1, 0), (2, 0)]).0, Seed(1)).is_none()
        );
    }
}
