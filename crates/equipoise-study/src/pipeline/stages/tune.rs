//! A few points of a model's settings, compared on validation.

use super::super::config::{PipelineConfig, SearchBudget};
use super::super::error::PipelineError;
use super::super::event::PipelineEvent;
use super::super::settings::{self, Method};
use super::super::stage::{Context, Stage};
use super::layout;
use super::prepared::BATCH_SIZE;
use crate::search::SearchEvent;
use crate::sweep::{self, Sweep, SweepConfig, SweepPlan};
use equipoise_data::{FieldError, write_atomic};
use equipoise_jobs::Fault;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use toml::Value;

/// Searches for good settings of one model. What it runs cannot see test data: see [`crate::sweep::SweepTraining`].
pub(super) struct Tune {
    pub(super) method: Method,
    pub(super) seed: u64,
}

impl Stage for Tune {
    fn name(&self) -> String {
        layout::tune(self.method)
    }

    fn title(&self) -> String {
        let what = if self.method == Method::Plain { "the plain model" } else { "CKD" };
        format!("settings of {what}, chosen on validation")
    }

    fn settings(&self, config: &PipelineConfig) -> Result<serde_json::Value, PipelineError> {
        let searched = settings::searched(config, self.method);
        Ok(
            json!({ "run": settings::deciding(config, self.method)?, "searched": searched, "seed": self.seed }),
        )
    }

    fn files(&self, _config: &PipelineConfig) -> Vec<(String, PathBuf)> {
        Vec::new()
    }

    fn before(&self) -> Vec<String> {
        match self.method {
            Method::Plain => vec![layout::DATA.into()],
            Method::Ckd => {
                vec![layout::DATA.into(), layout::tune(Method::Plain), layout::teachers(self.seed)]
            }
        }
    }

    fn run(&self, context: &mut Context) -> Result<(), PipelineError> {
        let searched = settings::searched(context.config, self.method);
        let mut chosen = toml::Table::new();
        if searched.is_empty() {
            context.note("  nothing is searched");
        } else {
            let best = self.search(context, &searched)?;
            chosen.extend(best);
        }
        let words: Vec<String> = chosen.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        if !words.is_empty() {
            context.note(format!("  chosen: {}", words.join(", ")));
        }
        let text: String =
            words.iter().map(|line| format!("\"{}\n", line.replacen(" =", "\" =", 1))).collect();
        let path = context.dir.join("chosen.toml");
        write_atomic(&path, |file| file.write_all(text.as_bytes())).map_err(|e| PipelineError::file(&path, e))
    }
}

impl Tune {
    fn search(
        &self,
        context: &mut Context,
        searched: &[settings::Axis],
    ) -> Result<Vec<(String, Value)>, PipelineError> {
        let config = context.config;
        let mut layers = settings::layers(config, self.method)?;
        if self.method == Method::Ckd {
            layers = settings::with_chosen(layers, &layout::chosen(config, Method::Plain))?;
        }
        let seed =
            i64::try_from(self.seed).map_err(|_| FieldError::new("seed", self.seed, "less than 2^63"))?;
        let path = layout::data_set(config).display().to_string();
        layers = layers.set("data.path", Value::String(path), "data".into())?;
        layers = layers.set("seed", Value::Integer(seed), "seed".into())?;
        if settings::is_free(config, BATCH_SIZE) {
            let batch = settings::batch_size(layers.resolve()?.into_inner().data.load()?.data.train.len());
            context.note(format!("  {batch} triples a step, by the size of the data"));
            layers = layers.set(BATCH_SIZE, Value::Integer(batch as i64), "equipoise run".into())?;
        }
        if self.method == Method::Ckd {
            let plain = config.out.join(layout::train(Method::Plain, self.seed)).display().to_string();
            layers = layers.set("balance.plain", Value::String(plain), "equipoise run".into())?;
        }
        let list = |values: &Vec<Value>| Value::Array(values.clone());
        let space = searched.iter().map(|(key, values)| ((*key).to_owned(), list(values))).collect();
        let method = match config.budget {
            SearchBudget::Full => sweep::Method::Grid,
            SearchBudget::None | SearchBudget::Small => sweep::Method::Coordinate,
        };
        // Teachers are those of the runs: one training of them serves both.
        let teachers = Some(config.out.join(layout::teachers(self.seed)));
        let plan = SweepPlan::new(layers, SweepConfig { method, space, teachers, ..SweepConfig::default() })?;
        let threads = rayon::current_num_threads();
        let sweep = Sweep { plan: &plan, out: &context.dir, jobs: 1, threads, runner: None };
        let listener = &mut *context.listener;
        let mut searching = |event: &SearchEvent| {
            let (metric, event) = (plan.metric().to_owned(), event.clone());
            listener.event(&PipelineEvent::Searching { metric, event });
        };
        let results = sweep.run(&mut searching, context.stop)?.results;
        if !results.over {
            return Err(PipelineError::Stopped(self.title()));
        }
        match (results.best(), results.failed().next()) {
            (Some(best), _) => Ok(best.proposal.point.settings().to_vec()),
            (None, failed) => {
                let reason = failed.map_or("no trial", |(_, reason)| reason).to_owned();
                let reason = format!("{}: no trial succeeded; the first: {reason}", context.dir.display());
                Err(Fault::Own(reason).into())
            }
        }
    }
}
