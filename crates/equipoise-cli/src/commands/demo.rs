//! `equipoise demo`: the main job on made-up data.

use crate::failure::Failure;
use crate::global::Global;
use crate::interrupt::stop_flag;
use crate::print;

use crate::progress::Progress;
use equipoise_balance::weights::WeightMode;
use equipoise_balance::{BalancerSettings, Ckd, Unbalanced};
use equipoise_data::{LoadOptions, Loaded, load};
use equipoise_import::synthetic::{DemoConfig, write_demo};
use equipoise_jobs::Place;
use equipoise_recommend::{ServingOptions, prepare};
use equipoise_report::{Audit, headline, html_report, text_report};
use equipoise_train::events::Ending;
use equipoise_train::{Checked, Job, Outcome, RunConfig, StopFlag};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Train plain and balanced models on made-up data and show what happened.
///
/// Writes a data set with a strong, a weak and a worthless modality, trains the plain multimodal model, one
/// teacher per modality, two of ids and the balanced model (CKD with robust weights), calibrates both, and reports what each modality
/// contributes.
#[derive(clap::Args)]
pub struct Args {
    /// Where data and runs go; what an earlier demo left there is replaced.
    #[arg(long, value_name = "DIR", default_value = "equipoise-demo")]
    out: PathBuf,
    /// Seed of the models' random streams.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Most epochs of each model.
    #[arg(long, value_name = "N", default_value_t = DEMO_EPOCHS)]
    epochs: usize,
}

/// The directory of the plain model's run.
const PLAIN: &str = "plain";
/// Enough for early stopping to end every model of the demo.
const DEMO_EPOCHS: usize = 400;

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let mut progress = Progress::new(global.quiet);
    let data = args.out.join("demo-data");
    // What cannot be trained leaves nothing behind.
    let plain = config(args, Unbalanced::NAME, &data).checked()?;
    let ckd = config(args, Ckd::NAME, &data).checked()?;
    let _place = Place::claim(&args.out)?;
    write_demo(&data, &DemoConfig::default())?;
    progress.say(&format!("demo data written to {}", data.display()));
    let loaded = load(&data, &LoadOptions::default())?;
    let stop = stop_flag();
    let plain = train(&plain, &loaded, &args.out.join(PLAIN), &mut progress, &stop)?;
    let ckd = train(&ckd, &loaded, &args.out.join(Ckd::NAME), &mut progress, &stop)?;
    progress.say("weights of modalities and how strangers are folded in, chosen on validation");
    prepare(plain.run.dir(), None, ServingOptions::default())?;
    let served = prepare(ckd.run.dir(), None, ServingOptions::default())?;
    let of_plain = super::audit::written(&plain.run, &loaded)?;
    let audit = Audit::from_run(&ckd.run, Some(&plain.run))?.with_fusion(&ckd.run, &loaded)?;
    let audit = audit.beside(&of_plain);
    ckd.run.write(&ckd.run.report_path(), html_report(&audit).as_bytes())?;
    if global.json() {
        return print::json(
            &json!({ "headline": headline(&audit), "audit": audit, "report": ckd.run.report_path() }),
        );
    }
    let run = ckd.run.dir().display();
    let found = super::calibrate::shown(&served);
    let user = &served.vocabulary().users()[0];
    print::out(&text(&audit, &ckd.run.report_path()))?;
    print::out(&format!("\n{found}\nserved {run}: equipoise recommend {run} --user {user} --explain\n"))
}

/// Settings that suit the demo's size.
fn config(args: &Args, balance: &str, data: &Path) -> RunConfig {
    let mut config = RunConfig { seed: args.seed, ..RunConfig::default() };
    config.data.path = data.to_owned();
    config.train.epochs = args.epochs;
    config.train.lr = 2e-3;
    config.train.reg = 3e-3;
    config.train.eval_every = 5;
    config.balance.name = balance.into();
    let ckd = config.balance.get_mut::<Ckd>();
    (ckd.weights, ckd.lambda_kd, ckd.generic_triples) = (WeightMode::Robust, 1.0, 2000);
    if balance != Unbalanced::NAME {
        config.balance.plain = Some(args.out.join(PLAIN));
    }
    config
}

fn train(
    config: &Checked<RunConfig>,
    loaded: &Loaded,
    out: &Path,
    progress: &mut Progress,
    stop: &StopFlag,
) -> Result<Outcome, Failure> {
    let job = Job { config, loaded, out, overwrite: true, from_scratch: false };
    let outcome = job.execute(progress, stop)?;
    if outcome.report.ending == Ending::Interrupted {
        return Err(Failure::interrupted("stopped before the demo was done"));
    }
    Ok(outcome)
}

fn text(audit: &Audit, report: &Path) -> String {
    let plain = audit.plain.as_ref();
    let number = |v: Option<f64>| v.map_or("-".into(), |v| format!("{v:.4}"));
    let gain = |from: Option<f64>, to: f64| match from {
        Some(from) if from > 0.0 => format!("{:+.1} %", 100.0 * (to / from - 1.0)),
        _ => "-".into(),
    };
    let whole = plain.map(|p| p.whole);
    let mut rows = vec![vec![
        "whole model".into(),
        number(whole),
        number(Some(audit.whole)),
        gain(whole, audit.whole),
        "-".into(),
    ]];
    for m in &audit.modalities {
        let before = plain.and_then(|p| p.channels.iter().find(|c| c.0 == m.name)).map(|c| c.1);
        rows.push(vec![
            format!("{} channel", m.name),
            number(before),
            number(Some(m.channel)),
            gain(before, m.channel),
            number(m.teacher),
        ]);
    }
    let table = print::table(&[&audit.metric, "plain", "CKD", "gain", "teacher"], &rows);
    format!("\n{table}\n{}\nreport {}\n", text_report(audit), report.display())
}
