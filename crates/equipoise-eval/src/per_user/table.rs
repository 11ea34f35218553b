//! The value of every metric for every evaluated user.

use std::collections::BTreeMap;

use crate::error::EvalError;

/// One row per evaluated user, one column per `metric@k`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PerUser {
    /// The evaluated users, ascending.
    pub users: Vec<u32>,
    /// Column names with as many values as there are users.
    pub columns: Vec<(String, Vec<f64>)>,
}

impl PerUser {
    /// Column names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// The values of a column.
    ///
    /// # Errors
    /// [`EvalError::UnknownMetric`] naming the columns there are.
    pub fn column(&self, name: &str) -> Result<&[f64], EvalError> {
        let found = self.columns.iter().find(|(n, _)| n == name);
        found.map(|(_, values)| values.as_slice()).ok_or_else(|| EvalError::UnknownMetric {
            name: name.to_owned(),
            available: self.names().collect::<Vec<_>>().join(", "),
        })
    }

    /// The mean of each column; 0 without users.
    pub fn means(&self) -> BTreeMap<String, f64> {
        let n = self.users.len().max(1) as f64;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
        self.columns.iter().map(|(name, values)| (name.clone(), mean(values))).collect()
    }

    /// A column of two runs, ready for a paired test.
    ///
    /// # Errors
    /// [`EvalError::DifferentUsers`] when the runs were not evaluated on the same users,
    /// [`EvalError::UnknownMetric`] when one has no such column.
    pub fn paired<'a>(
        &'a self,
        other: &'a PerUser,
        column: &str,
    ) -> Result<(&'a [f64], &'a [f64]), EvalError> {
        if self.users != other.users {
            let same = self.users.iter().zip(&other.users).take_while(|(a, b)| a == b);
            return Err(EvalError::DifferentUsers {
                left: self.users.len(),
                right: other.users.len(),
                row: same.count(),
            });
        }
        Ok((self.column(column)?, other.column(column)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(users: &[u32], values: &[f64]) -> PerUser {
        PerUser { users: users.to_vec(), columns: vec![("recall@20".to_owned(), values.to_vec())] }
    }

    #[test]
    fn runs_over_other_users_are_not_paired() {
        let (a, b) = (table(&[0, 2, 5], &[0.0, 1.0, 0.5]), table(&[0, 3, 5], &[0.0, 1.0, 0.5]));
        assert!(matches!(
            a.paired(&b, "recall@20"),
            Err(EvalError::DifferentUsers { left: 3, right: 3, row: 1 })
        ));
        let (left, right) = a.paired(&a, "recall@20").unwrap();
        assert_eq!((left, right), (&[0.0, 1.0, 0.5][..], &[0.0, 1.0, 0.5][..]));
    }

    #[test]
    fn a_missing_column_is_named_beside_those_there_are() {
        let error = table(&[0], &[1.0]).column("ndcg@20").unwrap_err().to_string();
        assert!(error.contains("ndcg@20") && error.contains("recall@20"), "{error}");
    }

    #[test]
    fn means_are_arithmetic() {
        assert_eq!(table(&[0, 1], &[1.0, 0.5]).means()["recall@20"], 0.75);
    }
}
