//! What it all means: the page, the text, and the summary for programs.

use super::super::config::PipelineConfig;
use super::super::error::PipelineError;
use super::super::settings::{self, Method};
use super::super::stage::{Context, Stage};
use super::super::summary::{Summary, summarise};
use super::layout;
use super::prepared::prepared;
use super::served;
use equipoise_data::write_atomic;
use equipoise_recommend::ServedModel;
use equipoise_report::html_report;
use equipoise_train::Run;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

/// Sets the plain model and CKD side by side, seed by seed; pages show the first seed.
pub(super) struct Report {
    pub(super) seeds: Vec<u64>,
}

impl Stage for Report {
    fn name(&self) -> String {
        layout::REPORT.into()
    }

    fn title(&self) -> String {
        "report".into()
    }

    fn settings(&self, _config: &PipelineConfig) -> Result<serde_json::Value, PipelineError> {
        Ok(json!({ "seeds": self.seeds }))
    }

    fn files(&self, _config: &PipelineConfig) -> Vec<(String, PathBuf)> {
        Vec::new()
    }

    fn before(&self) -> Vec<String> {
        let of = |seed: &u64| {
            [layout::train(Method::Plain, *seed), layout::teachers(*seed), layout::train(Method::Ckd, *seed)]
        };
        let both = [layout::DATA, layout::SERVED].map(str::to_owned);
        both.into_iter().chain(self.seeds.iter().flat_map(of)).collect()
    }

    fn run(&self, context: &mut Context) -> Result<(), PipelineError> {
        let open = |method, seed: u64| Run::open(&context.place(layout::train(method, seed)));
        let mut runs = Vec::new();
        for &seed in &self.seeds {
            runs.push((seed, open(Method::Plain, seed)?, open(Method::Ckd, seed)?));
        }
        let (_, loaded) = prepared(context.config, Method::Ckd, self.seeds[0], true)?;
        let served = ServedModel::open(context.place(layout::SERVED))?;
        let considered = served::considered(&context.place(layout::SERVED))?;
        let (summary, audit): (Summary, _) =
            summarise(&runs, &served, &considered, &loaded, settings::compares_scales(context.config))?;
        let json = serde_json::to_string_pretty(&summary).expect("texts and numbers are JSON");
        let files =
            [("report.html", html_report(&audit)), ("report.md", summary.markdown()), ("summary.json", json)];
        for (name, text) in files {
            let path = context.dir.join(name);
            write_atomic(&path, |file| file.write_all(text.as_bytes()))
                .map_err(|e| PipelineError::file(&path, e))?;
        }
        Ok(())
    }
}
