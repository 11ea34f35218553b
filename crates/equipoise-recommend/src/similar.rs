//! Items that are like one, and users that are like one.

use crate::error::RecommendError;
use crate::request::{LONGEST_LIST, ListItem};
use crate::scorer::{all_user_rows, directions, product, unweighted};
use crate::served::ServedModel;
use crate::weighting::{blocks, blocks_of_modality};
use rayon::prelude::*;

impl ServedModel {
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
        let row = self.item(item)?;
        let used = self.rows_of(modality)?;
        let all = self.directions(&used)?;
        let width = all.len() / self.tables().n_items();
        let nearest = nearest(&all, width, row, check_n(n)?);
        let named = |(other, likeness): (u32, f64)| ListItem {
            id: self.vocabulary().items()[other as usize].clone(),
            title: self.infos().title(other),
            score: likeness as f32,
            ..ListItem::default()
        };
        Ok(nearest.into_iter().map(named).collect())
    }

    /// The `n` users most like one, with the cosine of their rows in the whole model.
    ///
    /// # Errors
    /// If the model does not know the user; `n` beyond 1 to 1,000.
    pub fn similar_users(&self, user: &str, n: usize) -> Result<Vec<(String, f64)>, RecommendError> {
        let row = self.user(user)?;
        let all = all_user_rows(self.tables(), &unweighted(&self.rows_of(None)?));
        let width = all.len() / self.tables().n_users();
        let nearest = nearest(&directions(all, width), width, row, check_n(n)?);
        Ok(nearest
            .into_iter()
            .map(|(other, c)| (self.vocabulary().users()[other as usize].clone(), c))
            .collect())
    }

    fn rows_of(&self, modality: Option<&str>) -> Result<Vec<usize>, RecommendError> {
        match modality {
            None => Ok(blocks(self.tables(), self.weighting().ablation())?.to_vec()),
            Some(name) => blocks_of_modality(self.tables(), self.modality(name)?),
        }
    }
}

fn check_n(n: usize) -> Result<usize, RecommendError> {
    match n {
        1..=LONGEST_LIST => Ok(n),
        _ => Err(RecommendError::field("n", format!("{n}, expected 1 to {LONGEST_LIST}"))),
    }
}

/// The `n` rows of length 1 that point most nearly where one does; of equal cosines the lower row comes first.
fn nearest(rows: &[f32], width: usize, of: u32, n: usize) -> Vec<(u32, f64)> {
    let own = &rows[of as usize * width..][..width];
    let cosines = rows.par_chunks_exact(width).map(|row| product(own, row)).collect::<Vec<f64>>();
    let mut order: Vec<u32> = (0..cosines.len() as u32).filter(|&other| other != of).collect();
    order.sort_by(|&a, &b| cosines[b as usize].total_cmp(&cosines[a as usize]).then(a.cmp(&b)));
    order.into_iter().take(n).map(|other| (other, cosines[other as usize])).collect()
}
