//! The report of a search: self-contained, well formed, and true to the records.

use crate::markup;
use crate::support::{exhaust, hill, mixed};
use equipoise_study::search::strategy::{Halving, Random, Rungs};
use equipoise_study::search::{Dimension, Record, Space};
use equipoise_study::sweep::results::{csv, markdown};
use equipoise_study::sweep::{Method, Results, html_page};

fn results(method: Method, space: Space, records: Vec<Record>) -> Results {
    Results {
        name: "first".into(),
        dataset: "baby".into(),
        backbone: "vbpr".into(),
        balance: "ckd".into(),
        method,
        metric: "recall@20".into(),
        seed: 1,
        total: records.len(),
        over: true,
        space,
        records,
        best_toml: "seed = 1\n".into(),
        version: "0.0.0".into(),
    }
}

fn random(trials: usize) -> Results {
    let records = exhaust(&Random::new(mixed(), 3, trials), |p| 1.0 + hill(p));
    results(Method::Random, mixed(), records)
}

fn check(page: &str) {
    markup::check(page).expect("the page is well formed");
    for coordinate in markup::coordinates(page) {
        let number: f64 = coordinate.trim_end_matches('%').parse().unwrap_or(f64::NAN);
        assert!((0.0..=2000.0).contains(&number), "{coordinate:?}");
    }
}

#[test]
fn every_trial_is_a_point_of_each_panel_and_a_line_of_the_whole() {
    let page = html_page(&random(30));
    check(&page);
    assert_eq!(page.matches("<circle").count(), 3 * 30);
    assert_eq!(page.matches("<polyline").count(), 30);
    for word in ["http://", "https://", "src=", "href=", "<script", "@import"] {
        assert!(!page.contains(word), "{word}");
    }
    // A logarithmic axis, words, whole numbers.
    for tick in [">1e-4<", ">0.01<", ">a<", ">10<"] {
        assert!(page.contains(tick), "{tick}");
    }
}

#[test]
fn rungs_and_failures_are_shown_and_hostile_names_escaped() {
    let halving = Halving::new(mixed(), 3, 9, Rungs::new(1, 3, 9).unwrap());
    let mut records = exhaust(&halving, |p| 1.0 + hill(p));
    records[0].outcome = Err("<script>alert(1)</script>".into());
    let page = html_page(&results(Method::Halving, mixed(), records));
    check(&page);
    assert!(page.contains("Failed trials") && page.contains("budget") && !page.contains("<script"));
    // Each trial that succeeded once is one line, through its last evaluation.
    assert_eq!(page.matches("<polyline").count(), 8);
}

#[test]
fn a_search_without_any_value_has_a_page_that_says_so() {
    let mut all = random(3);
    all.records.iter_mut().for_each(|r| r.outcome = Err("diverged".into()));
    all.best_toml.clear();
    let page = html_page(&all);
    check(&page);
    assert!(page.contains("None of 3 trials succeeded.") && !page.contains("<svg"));
    check(&html_page(&random(0)));
    check(&html_page(&random(1)));
}

#[test]
fn odd_spaces_are_drawn_within_the_page() {
    let space = Space::new(vec![
        (
            "a.very.long.key.of.a.section.that.goes.on".into(),
            Dimension::List(vec![toml::Value::Array(vec!["text".into()])]),
        ),
        ("tiny".into(), Dimension::range(1e-9, 2e-9).log()),
        ("wide".into(), Dimension::range(1e-12, 1e12).log()),
        ("huge".into(), Dimension::range(-1e15, 1e15).whole()),
    ]);
    let space = space.unwrap();
    let records = exhaust(&Random::new(space.clone(), 3, 12), |p| p.number("tiny").unwrap());
    check(&html_page(&results(Method::Random, space, records)));
}

#[test]
fn tables_list_the_best_first_and_the_csv_has_every_digit() {
    let results = random(12);
    let text = markdown(&results);
    let rows: Vec<&str> = text.lines().skip_while(|l| !l.contains("## Trials")).skip(4).collect();
    assert_eq!(rows.len(), 12);
    let best = results.best().unwrap();
    assert!(rows[0].starts_with(&format!("| {} |", best.proposal.number)), "{}", rows[0]);
    let csv = csv(&results);
    assert_eq!(
        csv.lines().next(),
        Some("trial,rung,budget,rate,layers,word,recall@20,best_epoch,epochs,failure,seconds")
    );
    let line = csv.lines().nth(1 + best.proposal.number).unwrap();
    let value: f64 = line.split(',').nth(6).unwrap().parse().unwrap();
    assert_eq!(Some(value), best.value());
}
