//! The parts of every user under a rule.

use equipoise_data::{Dated, Holdout, Splitting};

use super::pool::Pool;

/// Lists by user index, items in the order of the file.
pub(crate) fn divide(pool: &Pool, splitting: &Splitting) -> Vec<Holdout> {
    let rows: Vec<Dated> = pool.rows.iter().map(|row| (row.user, Some(row.time))).collect();
    let labels = splitting.divide(&rows).expect("every row has a time, 0 where nobody asks for it");
    let mut parts = vec![Holdout::default(); pool.users.len()];
    for (row, label) in pool.rows.iter().zip(labels) {
        let own = &mut parts[row.user as usize];
        let part = match label {
            0 => &mut own.train,
            1 => &mut own.validation,
            _ => &mut own.test,
        };
        part.push(row.item);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amazon::ids::Ids;
    use crate::amazon::pool::Row;
    use equipoise_data::{Shares, SplitRule};

    #[test]
    fn every_review_is_in_one_list_of_its_user_in_the_order_of_the_file() {
        let (mut users, mut items, mut rows) = (Ids::default(), Ids::default(), Vec::new());
        for (place, (user, time)) in [("a", 9), ("b", 1), ("a", 2), ("a", 5), ("a", 1)].iter().enumerate() {
            let user = users.intern(user).expect("few");
            let item = items.intern(&format!("i{place}")).expect("few");
            rows.push(Row { user, item, time: *time });
        }
        let splitting = Splitting { rule: SplitRule::LeaveOneOut, shares: Shares::default(), seed: 0 };
        let parts = divide(&Pool { users, items, rows }, &splitting);
        assert_eq!(parts[0], Holdout { train: vec![2, 4], validation: vec![3], test: vec![0] });
        assert_eq!(parts[1], Holdout { train: vec![1], validation: vec![], test: vec![] });
    }
}
