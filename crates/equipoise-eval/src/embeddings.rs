//! The final tables of a model, from which every score comes.

use crate::error::{EvalError, Table};

/// Final embedding tables of a model: `score(u, i) = <users[u], items[i]>`.
///
/// Both tables are row-major: `U x dim` and `I x dim`.
#[derive(Debug, Clone, Copy)]
pub struct Embeddings<'a> {
    /// User table, `U * dim` values.
    pub users: &'a [f32],
    /// Item table, `I * dim` values.
    pub items: &'a [f32],
    /// Values per row, at least 1.
    pub dim: usize,
}

impl<'a> Embeddings<'a> {
    /// Tables checked for shape and finiteness.
    ///
    /// # Errors
    /// [`EvalError::ZeroDim`], [`EvalError::TableLength`], [`EvalError::TooManyRows`], and
    /// [`EvalError::NonFiniteEmbedding`] naming the table, row and column of the first bad value.
    pub fn new(users: &'a [f32], items: &'a [f32], dim: usize) -> Result<Self, EvalError> {
        let tables = Embeddings { users, items, dim };
        tables.check()?;
        Ok(tables)
    }

    /// Rows of the user table.
    pub fn n_users(&self) -> usize {
        self.users.len().checked_div(self.dim).unwrap_or(0)
    }

    /// Rows of the item table.
    pub fn n_items(&self) -> usize {
        self.items.len().checked_div(self.dim).unwrap_or(0)
    }

    /// Shape and finiteness of both tables. Returns an upper bound of `|score|`: the product of the
    /// largest row norms (Cauchy-Schwarz), which bounds the partial sums as well.
    pub(crate) fn check(&self) -> Result<f64, EvalError> {
        Ok(self.user_norm()? * self.item_norm()?)
    }

    /// The largest norm of a user's row.
    pub(crate) fn user_norm(&self) -> Result<f64, EvalError> {
        self.norm(Table::Users, self.users)
    }

    /// The largest norm of an item's row.
    pub(crate) fn item_norm(&self) -> Result<f64, EvalError> {
        self.norm(Table::Items, self.items)
    }

    fn norm(&self, table: Table, values: &[f32]) -> Result<f64, EvalError> {
        if self.dim == 0 {
            return Err(EvalError::ZeroDim);
        }
        largest_norm(table, values, self.dim)
    }
}

fn largest_norm(table: Table, values: &[f32], dim: usize) -> Result<f64, EvalError> {
    let (len, rows) = (values.len(), values.len() / dim);
    if len % dim != 0 {
        return Err(EvalError::TableLength { table, len, dim });
    }
    if rows >= u32::MAX as usize {
        return Err(EvalError::TooManyRows { table, rows });
    }
    let mut largest = 0.0f64;
    for (row, values) in values.chunks_exact(dim).enumerate() {
        let square = squared_norm(values);
        if !square.is_finite() {
            // The square of a finite f32 is finite in f64, so one of the values is not.
            return Err(first_non_finite(table, row, values));
        }
        largest = largest.max(square);
    }
    Ok(largest.sqrt())
}

/// Sum of squares in `f64`, in eight lanes so that it vectorises.
fn squared_norm(values: &[f32]) -> f64 {
    let mut lanes = [0.0f64; 8];
    let chunks = values.chunks_exact(8);
    let rest: f64 = chunks.remainder().iter().map(|&x| f64::from(x).powi(2)).sum();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(x) * f64::from(x);
        }
    }
    rest + lanes.iter().sum::<f64>()
}

fn first_non_finite(table: Table, row: usize, values: &[f32]) -> EvalError {
    let column = values.iter().position(|x| !x.is_finite()).unwrap_or(0);
    EvalError::NonFiniteEmbedding { table, row, column, value: values[column] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_non_finite_value_is_named_by_table_row_and_column() {
        let good = vec![0.5f32; 4 * 9];
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut items = good.clone();
            items[2 * 9 + 8] = bad;
            let error = Embeddings::new(&good, &items, 9).unwrap_err();
            assert!(error.to_string().starts_with("item embeddings, row 2, column 8"), "{error}");
            let error = Embeddings::new(&items, &good, 9).unwrap_err();
            assert!(error.to_string().starts_with("user embeddings, row 2, column 8"), "{error}");
        }
    }

    #[test]
    fn a_ragged_table_and_a_zero_width_are_refused() {
        let values = [1.0f32; 7];
        assert!(matches!(
            Embeddings::new(&values[..6], &values, 3),
            Err(EvalError::TableLength { table: Table::Items, len: 7, dim: 3 })
        ));
        assert!(matches!(Embeddings::new(&values, &values, 0), Err(EvalError::ZeroDim)));
    }

    #[test]
    fn the_bound_is_the_product_of_the_largest_norms() {
        let users = [3.0f32, 4.0, 0.0, 1.0];
        let items = [0.0f32, -2.0];
        let bound = Embeddings { users: &users, items: &items, dim: 2 }.check().unwrap();
        assert_eq!(bound, 10.0);
    }
}
