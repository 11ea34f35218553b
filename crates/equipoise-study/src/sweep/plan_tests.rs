//! What a search's configuration may say, and how faults in it are told.

use super::*;

const SPACE: &str = "[sweep.space]\n\"train.lr\" = [1e-3, 1e-2]\n";

fn plan(text: &str) -> Result<SweepPlan, SweepError> {
    SweepPlan::text(text, "s.toml", &[])
}

fn message(text: &str) -> String {
    plan(text).unwrap_err().to_string()
}

#[test]
fn a_run_configuration_with_a_section_is_a_plan() {
    let plan = plan(&format!("seed = 9\n[train]\nreg = 0.1\n[sweep]\n{SPACE}")).unwrap();
    assert_eq!((plan.seed(), plan.metric(), plan.base().train.reg), (9, "recall@20", 0.1));
    let points = plan.strategy().unwrap().next(&[]);
    let rates: Vec<f64> = points.iter().map(|p| plan.at(&p.point).unwrap().train.lr).collect();
    assert_eq!(rates, [1e-3, 1e-2]);
    assert_eq!(plan.at(&points[1].point).unwrap().train.reg, 0.1);
}

#[test]
fn unknown_keys_are_named_with_their_line_and_the_nearest_key() {
    let text = message("[sweep]\nmethod = \"random\"\ntrails = 3\n");
    assert_eq!(text, "s.toml:3: unknown key `sweep.trails` (did you mean `sweep.trials`?)");
    let text = message("[sweep.space]\n\"train.lrr\" = [1e-3]\n");
    assert_eq!(text, "s.toml:2: unknown key `train.lrr` (did you mean `train.lr`?)");
    let text = message("[train]\nlrr = 1.0\n[sweep.space]\n\"train.lr\" = [1e-3]\n");
    assert!(text.starts_with("s.toml:2: unknown key `train.lrr`"), "{text}");
    assert!(message("seed = 1\n").contains("expected a section [sweep]"));
}

#[test]
fn values_that_a_run_would_refuse_are_refused_before_anything_runs() {
    let text = message("[sweep.space]\n\"train.lr\" = [1e-3, -1.0]\n");
    assert_eq!(text, "s.toml:2: train.lr = -1: expected more than 0");
    let text = message("[sweep.space]\n\"train.lr\" = [\"fast\"]\n");
    assert!(text.starts_with("s.toml:2: `train.lr`: invalid type"), "{text}");
    let text = message(
        "[sweep]\nmethod = \"random\"\ntrials = 2\n[sweep.space]\n\"train.beta1\" = { low = 0.5, high = 2.0 }\n",
    );
    assert!(text.starts_with("s.toml:5: train.beta1 = 2"), "{text}");
    let text = message("[sweep]\ntrials = \"many\"\n");
    assert!(text.starts_with("s.toml:2: `sweep.trials`: invalid type"), "{text}");
    let text = message(&format!("[sweep]\nmetric = \"recal@20\"\n{SPACE}"));
    assert!(text.starts_with("s.toml:2: sweep.metric = \"recal@20\""), "{text}");
    let text = message(&format!("[sweep]\nmethod = \"tpe\"\ntrials = 0\n{SPACE}"));
    assert!(text.starts_with("s.toml:3: sweep.trials = 0: expected 1 or more"), "{text}");
}

#[test]
fn what_must_not_or_need_not_be_searched_is_refused() {
    for (key, value, why) in [
        ("seed", "1", "luckiest"),
        ("eval.ndcg", "\"standard\"", "must mean the same"),
        ("balance.teachers", "\"x\"", "sweep.teachers"),
        ("backbone.grcn.layers", "1", "backbone.name = \"vbpr\" does not read it"),
        ("balance.ckd.tau", "0.1", "balance.name = \"none\" does not read it"),
    ] {
        let text = message(&format!("[sweep.space]\n\"{key}\" = [{value}]\n"));
        assert!(text.starts_with("s.toml:2: ") && text.contains(why), "{key}: {text}");
    }
    let both = "[sweep.space]\n\"balance.name\" = [\"none\", \"ckd\"]\n\"balance.ckd.tau\" = [0.1]\n";
    assert!(plan(both).is_ok());
    let text = message(&format!("[balance]\nname = \"ckd\"\nteachers = \"t\"\n{SPACE}"));
    assert!(text.starts_with("s.toml:3: balance.teachers:"), "{text}");
}

#[test]
fn flags_win_over_the_base_but_not_over_the_space() {
    let flag = |key: &str, value: f64| vec![(key.to_owned(), Value::Float(value), "--set".to_owned())];
    let plan = SweepPlan::text(SPACE, "s.toml", &flag("train.reg", 0.5)).unwrap();
    assert_eq!(plan.base().train.reg, 0.5);
    let text = SweepPlan::text(SPACE, "s.toml", &flag("train.lr", 0.5)).unwrap_err().to_string();
    assert!(text.contains("`train.lr` is searched"), "{text}");
}

#[test]
fn the_identity_changes_with_what_matters_only() {
    let identity = |text: &str| plan(text).unwrap().identity("f");
    let base = identity(SPACE);
    assert_eq!(
        base,
        identity(&format!("[train]\nchannels = false\nlr = 0.5\n[data]\npath = \"x\"\n{SPACE}"))
    );
    assert_ne!(base, identity(&format!("[train]\nreg = 0.5\n{SPACE}")));
    assert_ne!(base, identity(&SPACE.replace("1e-2", "2e-2")));
    assert_ne!(base, plan(SPACE).unwrap().identity("g"));
    let random =
        |trials: usize| identity(&format!("[sweep]\nmethod = \"random\"\ntrials = {trials}\n{SPACE}"));
    assert_eq!(random(1), random(2), "more trials continue a search");
    let halving = |trials: usize| {
        let method = format!("method = \"halving\"\nmin_epochs = 1\ntrials = {trials}");
        identity(&format!("[sweep]\n{method}\n{SPACE}"))
    };
    assert_ne!(halving(1), halving(2), "but not where survivors depend on how many began");
}
