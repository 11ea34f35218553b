//! The whole job on VBPR: a teacher per modality, then the student, each to its early stop.

use crate::measure::{peak_mib, seconds};
use equipoise_data::{LoadOptions, load};
use equipoise_train::{Event, Job, Listener, RunConfig, StopFlag};
use serde_json::json;
use std::path::Path;

/// Prints a line per model.
struct Lines {
    epochs: usize,
}

impl Listener<Event> for Lines {
    fn event(&mut self, event: &Event) {
        if let Event::Finished { role, epochs, best, seconds, .. } = event {
            self.epochs += epochs;
            let line =
                json!({ "who": "ours", "what": role, "epochs": epochs, "best": best, "seconds": seconds });
            println!("{line}");
        }
    }
}

/// Trains on the data of `dir` into `out`; models are selected and stopped by validation recall@20 alone.
pub fn run(dir: &Path, out: &Path) {
    let mut lines = Lines { epochs: 0 };
    let (seconds, ()) = seconds(|| {
        let loaded = load(dir, &LoadOptions::default()).expect("the data is sound");
        let mut config = RunConfig::default();
        config.data.path = dir.to_owned();
        config.train.channels = false;
        config.balance.name = "ckd".into();
        let config = config.checked().expect("the settings are in range");
        let job = Job { config: &config, loaded: &loaded, out, overwrite: true, from_scratch: false };
        job.execute(&mut lines, &StopFlag::default()).expect("the job runs");
    });
    let line = json!({ "who": "ours", "what": "job", "epochs": lines.epochs, "seconds": seconds, "peak_mib": peak_mib() });
    println!("{line}");
}
