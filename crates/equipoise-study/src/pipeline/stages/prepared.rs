//! A run's data and its configuration with all that was chosen.

use super::super::config::PipelineConfig;
use super::super::error::PipelineError;
use super::super::settings::{self, Method};
use super::layout;
use equipoise_data::Loaded;
use equipoise_train::{Checked, RunConfig, teachers};

/// Chosen by the size of the data, where it is not given.
pub(super) const BATCH_SIZE: &str = "train.batch_size";

/// The data set, and the configuration of a run with what was chosen for the plain model and, `with_own`, for the method.
pub(super) fn prepared(
    config: &PipelineConfig,
    method: Method,
    seed: u64,
    with_own: bool,
) -> Result<(Checked<RunConfig>, Loaded), PipelineError> {
    let mut layers = settings::layers(config, method)?;
    layers = settings::with_chosen(layers, &layout::chosen(config, Method::Plain))?;
    if method == Method::Ckd && with_own {
        layers = settings::with_chosen(layers, &layout::chosen(config, Method::Ckd))?;
    }
    let mut run = RunConfig { seed, ..layers.resolve()?.into_inner() };
    run.data.path = layout::data_set(config);
    let loaded = run.data.load()?;
    if settings::is_free(config, BATCH_SIZE) {
        run.train.batch_size = settings::batch_size(loaded.data.train.len());
    }
    if method == Method::Ckd {
        run.balance.plain = Some(config.out.join(layout::train(Method::Plain, seed)));
        let dir = config.out.join(layout::teachers(seed));
        run.balance.teachers = Some(dir.join(teachers::key(&run, &loaded.data)));
    }
    Ok((run.checked()?, loaded))
}
