//! Items that are like one, and users that are like one.

use crate::error::RecommendError;
use crate::request::{LONGEST_LIST, ListItem, Similar, SimilarRequest, SimilarUser};
use crate::scorer::product;
use crate::served::ServedModel;
use crate::weighting::{blocks, blocks_of_modality};
use rayon::prelude::*;
use std::time::Instant;

impl ServedModel {
    /// The items or users most like one, as a request asks.
    ///
    /// # Errors
    /// A field that cannot be used, with its name; an id or a modality that the model does not know.
    pub fn similar(&self, request: &SimilarRequest) -> Result<Similar, RecommendError> {
        let start = Instant::now();
        let (items, users) = match (&request.item, &request.user) {
            (Some(item), None) => {
                (self.similar_items(item, request.n, request.modality.as_deref())?, Vec::new())
            }
            (None, Some(_)) if request.modality.is_some() => {
                return Err(RecommendError::field("modality", "users are compared as a whole; leave it out"));
            }
            (None, Some(user)) => {
                let found = self.similar_users(user, request.n)?.into_iter();
                (Vec::new(), found.map(|(id, score)| SimilarUser { id, score }).collect())
            }
            _ => return Err(RecommendError::field("item", "expected exactly one of `item` and `user`")),
        };
        let took_ms = start.elapsed().as_secs_f64() * 1e3;
        Ok(Similar { items, users, model: self.name().clone(), took_ms })
    }

    /// The `n` items most like one, by the cosine of their rows in the whole model, or in one modality's own rows.
    ///
    /// # Errors
    /// If the model does not know the item or the modality; `n` beyond 1 to 1,000.
    pub fn similar_items(
        &self,
        item: &str,
        n: usize,
        modality: Option<&str>,
    ) -> Result<Vec<ListItem>, RecommendError> {
        let row = self.item(item).map_err(|error| error.at("item"))?;
        let tables = self.blocks_compared(modality)?.into_iter();
        let tables: Vec<Table> =
            tables.map(|b| (self.tables().blocks()[b].items(), self.tables().blocks()[b].width())).collect();
        let named = |(other, likeness): (u32, f64)| ListItem {
            id: self.vocabulary().items()[other as usize].to_owned(),
            title: self.infos().title(other),
            score: likeness as f32,
            ..ListItem::default()
        };
        Ok(nearest(&tables, self.tables().n_items(), row, check_n(n)?).into_iter().map(named).collect())
    }

    /// The `n` users most like one, with the cosine of their rows in the whole model.
    ///
    /// # Errors
    /// If the model does not know the user; `n` beyond 1 to 1,000.
    pub fn similar_users(&self, user: &str, n: usize) -> Result<Vec<(String, f64)>, RecommendError> {
        let row = self.user(user).map_err(|error| error.at("user"))?;
        let tables = self.blocks_compared(None)?.into_iter();
        let tables: Vec<Table> =
            tables.map(|b| (self.tables().blocks()[b].users(), self.tables().blocks()[b].width())).collect();
        let nearest = nearest(&tables, self.tables().n_users(), row, check_n(n)?);
        Ok(nearest
            .into_iter()
            .map(|(other, c)| (self.vocabulary().users()[other as usize].to_owned(), c))
            .collect())
    }

    fn blocks_compared(&self, modality: Option<&str>) -> Result<Vec<usize>, RecommendError> {
        match modality {
            None => Ok(blocks(self.tables(), self.weighting().ablation())?.to_vec()),
            Some(name) => {
                blocks_of_modality(self.tables(), self.modality(name).map_err(|error| error.at("modality"))?)
            }
        }
    }
}

/// A table of a block, and the values per row.
type Table<'a> = (&'a [f32], usize);

fn check_n(n: usize) -> Result<usize, RecommendError> {
    match n {
        1..=LONGEST_LIST => Ok(n),
        _ => Err(RecommendError::field("n", format!("{n}, expected 1 to {LONGEST_LIST}"))),
    }
}

/// The `n` of `count` rows that point most nearly where one does; of equal cosines the lower row comes first. A row lies in several
/// tables side by side.
fn nearest(tables: &[Table], count: usize, of: u32, n: usize) -> Vec<(u32, f64)> {
    let of_table = |&(table, width): &Table, a: usize, b: usize| {
        product(&table[a * width..(a + 1) * width], &table[b * width..(b + 1) * width])
    };
    let sum = |a: usize, b: usize| tables.iter().map(|table| of_table(table, a, b)).sum::<f64>();
    let of = of as usize;
    let own = sum(of, of);
    let cosine = |other: usize| {
        let scale = (own * sum(other, other)).sqrt();
        if scale > 0.0 { sum(of, other) / scale } else { 0.0 }
    };
    let mut all: Vec<(u32, f64)> =
        (0..count).into_par_iter().filter(|&k| k != of).map(|k| (k as u32, cosine(k))).collect();
    let order = |a: &(u32, f64), b: &(u32, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if n < all.len() {
        all.select_nth_unstable_by(n, order);
        all.truncate(n);
    }
    all.sort_unstable_by(order);
    all
}
