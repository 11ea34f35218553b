//! What is checked before anything is trained, because it would be noticed only in the end or fill the memory.

use crate::config::RunConfig;
use crate::error::TrainError;
use equipoise_balance::{BalancerSettings, Ckd};
use equipoise_data::{Dataset, FieldError, Interactions, SealedTest};

/// A batch of so many triples is allowed whatever the data, so that settings of large data serve small data too.
const ALWAYS: usize = 1 << 16;
/// The same for generic triples, which are drawn with replacement.
const ALWAYS_GENERIC: usize = 1 << 20;

/// Checks that there is something to select by, and to measure on where the model is to be measured.
///
/// # Errors
/// [`TrainError::Setting`] if a split is empty.
pub(crate) fn splits(data: &Dataset, test: Option<&SealedTest>) -> Result<(), TrainError> {
    let empty = |split: &str, purpose: &str| {
        let text = format!(
            "the {split} split is empty: training needs one to {purpose}; hold some interactions out"
        );
        Err(TrainError::Setting(text))
    };
    if data.validation.is_empty() {
        return empty("validation", "select the best model");
    }
    if test.is_some_and(SealedTest::is_empty) {
        return empty("test", "measure the model in the end");
    }
    Ok(())
}

/// Checks that no batch is larger than data of this size can use: memory for it is taken as a whole.
///
/// # Errors
/// If one is; the key and the most that is allowed.
pub(crate) fn sizes(config: &RunConfig, train: &Interactions) -> Result<(), FieldError> {
    at_most("train.batch_size", config.train.batch_size, ALWAYS, train)?;
    if config.balance.name == Ckd::NAME {
        let triples = config.balance.get::<Ckd>().generic_triples;
        at_most("balance.ckd.generic_triples", triples, ALWAYS_GENERIC, train)?;
    }
    Ok(())
}

fn at_most(key: &str, value: usize, always: usize, train: &Interactions) -> Result<(), FieldError> {
    let most = always.max(train.len());
    if value <= most {
        return Ok(());
    }
    let expected = format!("at most {most} for {} train interactions", train.len());
    Err(FieldError::new(key, value, expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interactions(count: usize) -> Interactions {
        let pairs: Vec<(u32, u32)> = (0..count as u32).map(|n| (n / 300, n % 300)).collect();
        Interactions::from_pairs(count / 300 + 1, 301, &pairs).0
    }

    #[test]
    fn a_batch_is_bounded_by_the_data_or_by_what_is_always_allowed() {
        let refused = |batch: usize, train: &Interactions| {
            let mut config = RunConfig::default();
            config.train.batch_size = batch;
            sizes(&config, train).err().map(|fault| fault.to_string())
        };
        let (few, many) = (interactions(255), interactions(70_000));
        assert_eq!((refused(ALWAYS, &few), refused(70_000, &many)), (None, None));
        let expected = "train.batch_size = 100000000: expected at most 65536 for 255 train interactions";
        assert_eq!(refused(100_000_000, &few).as_deref(), Some(expected));
        assert!(refused(70_001, &many).is_some());
    }

    #[test]
    fn generic_triples_are_bounded_where_they_are_drawn() {
        let mut config = RunConfig::default();
        config.balance.get_mut::<Ckd>().generic_triples = usize::MAX;
        assert_eq!(sizes(&config, &interactions(255)), Ok(()));
        config.balance.name = Ckd::NAME.into();
        let refusal = sizes(&config, &interactions(255)).unwrap_err().to_string();
        assert!(refusal.contains("balance.ckd.generic_triples") && refusal.contains("1048576"), "{refusal}");
    }
}
