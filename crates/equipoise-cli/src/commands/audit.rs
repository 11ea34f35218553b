//! `equipoise audit`

use crate::failure::Failure;
use crate::global::Global;
use crate::print;

use super::opened::open;
use equipoise_data::Loaded;
use equipoise_jobs::Place;
use equipoise_report::{Audit, headline, html_report, svg_report, text_report, verdicts};
use equipoise_train::Run;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Show which modality is under-used, and write report.html into the run.
#[derive(clap::Args)]
#[command(after_help = "\
A modality's channel is the trained model with every other modality silenced (replaced by its mean); its teacher
is the same network trained with that modality alone. A channel far below its teacher is an under-used modality.
If a channel alone is better than the whole model, beyond noise, the first line says so, and what the weights of
`equipoise calibrate` make of it on test; so it does if the model is better without a modality, no better than ids
alone, or if the norms of two modalities' features differ more than threefold.")]
pub struct Args {
    /// The run.
    run: PathBuf,
    /// A run of the plain model on the same data, shown beside it.
    #[arg(long, value_name = "RUN")]
    against: Option<PathBuf>,
    /// A run of ids alone on the same data, such as one of `--backbone bprmf`: whether content adds anything to it. The ids
    /// teacher of `--weights robust` is found by itself.
    #[arg(long, value_name = "RUN")]
    ids: Option<PathBuf>,
    /// Data set directory [default: where the run was trained].
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Write the curves over epochs as one SVG file too.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let run = open(&args.run)?;
    let _place = Place::claim(&args.run)?;
    let plain = args.against.as_deref().map(open).transpose()?;
    let audit = Audit::from_run(&run, plain.as_ref())?;
    let audit = match &args.ids {
        Some(ids) => audit.with_ids_model(&run, &open(ids)?)?,
        None => audit,
    };
    let audit = match data_of(&run, args.data.as_deref())? {
        Some(loaded) => {
            let audit = audit.with_fusion(&run, &loaded)?;
            match &plain {
                Some(plain) => audit.beside(&Audit::from_run(plain, None)?.with_fusion(plain, &loaded)?),
                None => audit,
            }
        }
        None => audit,
    };
    run.write(&run.report_path(), html_report(&audit).as_bytes())?;
    if let Some(file) = &args.svg {
        write_curves(&audit, file)?;
    }
    if global.json() {
        return print::json(&json!({
            "headline": headline(&audit),
            "verdicts": verdicts(&audit),
            "audit": audit,
            "report": run.report_path(),
        }));
    }
    print::out(&format!("{}\nreport {}\n", text_report(&audit), run.report_path().display()))
}

fn write_curves(audit: &Audit, file: &Path) -> Result<(), Failure> {
    let svg = svg_report(audit).ok_or_else(|| {
        Failure::input("--svg: the run recorded no curves; expected one trained with train.channels = true")
    })?;
    equipoise_data::write_atomic(file, |out| out.write_all(svg.as_bytes()))
        .map_err(|e| Failure::file(file, &e))
}

/// The data set of a run. Without it the whole model and its channels are compared by their means alone, which is said.
fn data_of(run: &Run, given: Option<&Path>) -> Result<Option<Loaded>, Failure> {
    let mut source = run.config()?.into_inner().data;
    if let Some(path) = given {
        source.path = path.to_owned();
    } else if !source.path.exists() {
        print::say(&format!(
            "note: the data set {} is not there: channels are compared without the users' values, and calibrated weights are not \
             measured on test; say where it is with --data PATH",
            source.path.display()
        ));
        return Ok(None);
    }
    let loaded = source.load()?;
    if given.is_none() && loaded.data.fingerprint() != run.report()?.fingerprint {
        print::say(&format!(
            "note: {} is no longer the data set of the run: channels are compared without the users' values, and calibrated \
             weights are not measured on test; say where it is with --data PATH",
            source.path.display()
        ));
        return Ok(None);
    }
    Ok(Some(loaded))
}

/// Writes the report of a run on this data.
pub fn written(run: &Run, loaded: &Loaded) -> Result<Audit, Failure> {
    let audit = Audit::from_run(run, None)?.with_fusion(run, loaded)?;
    run.write(&run.report_path(), html_report(&audit).as_bytes())?;
    Ok(audit)
}
