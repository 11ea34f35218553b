//! The search itself: nothing lost, nothing tried twice, and the same records whatever happens on the way.

use crate::support::{Function, Tried, hill, mixed};
use equipoise_study::search::strategy::{Grid, Halving, Random, Rungs, Strategy, Tpe, TpeConfig};
use equipoise_study::search::{
    Dimension, Fault, Identity, Journal, Measured, Point, Record, Search, SearchError, SearchRecords, Silent,
    Space, StopFlag, Trial, TrialBudget, best,
};
use std::path::Path;

fn strategies() -> Vec<Box<dyn Strategy>> {
    let config = TpeConfig { startup: 5, round: 3, ..TpeConfig::default() };
    vec![
        Box::new(Random::new(mixed(), 4, 17)),
        Box::new(Tpe::new(mixed(), 4, 17, config)),
        Box::new(Halving::new(mixed(), 4, 9, Rungs::new(1, 3, 9).unwrap())),
    ]
}

fn run(
    strategy: &dyn Strategy,
    trial: &dyn Trial,
    journal: &Journal,
    jobs: usize,
) -> Result<SearchRecords, SearchError> {
    let search = Search { strategy, trial, jobs, threads: 1 };
    search.run(journal, &mut Silent, &StopFlag::default())
}

fn journal(path: &Path) -> Journal {
    Journal::open(path, &Identity::new()).unwrap()
}

#[test]
fn records_do_not_depend_on_the_number_of_jobs() {
    for strategy in strategies() {
        // Later trials end sooner, so that they overtake earlier ones.
        let trial = Function(|p: &Point| {
            std::thread::sleep(std::time::Duration::from_millis(
                (p.number("layers").unwrap() * 2.0) as u64 % 7,
            ));
            Ok(hill(p))
        });
        let one = run(&*strategy, &trial, &Journal::in_memory(), 1).unwrap();
        let many = run(&*strategy, &trial, &Journal::in_memory(), 5).unwrap();
        assert_eq!(one.records, many.records);
        assert!(one.over && one.records.len() == strategy.total());
    }
}

#[test]
fn a_search_stopped_anywhere_goes_on_to_the_same_end_and_tries_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    for (kind, strategy) in strategies().iter().enumerate() {
        let whole = run(&**strategy, &Function(|p: &Point| Ok(hill(p))), &Journal::in_memory(), 2).unwrap();
        for after in [1, 3, 6, 8] {
            let path = dir.path().join(format!("{kind}-{after}.sqlite"));
            let (tried, stop) = (Tried::default(), StopFlag::default());
            let trial = Function(|p: &Point| {
                tried.note_and_stop(p, after, &stop);
                Ok(hill(p))
            });
            let search = Search { strategy: &**strategy, trial: &trial, jobs: 2, threads: 1 };
            let part = search.run(&journal(&path), &mut Silent, &stop).unwrap();
            assert!(!part.over && (after..=after + 1).contains(&part.records.len()));
            let rest = run(&**strategy, &trial, &journal(&path), 3).unwrap();
            assert!(rest.over);
            assert_eq!(rest.records, whole.records);
            // What was begun and recorded is not begun again.
            assert_eq!(tried.sorted().len(), whole.records.len());
        }
    }
}

#[test]
fn failures_are_kept_and_the_rest_goes_on() {
    let trial = Function(|p: &Point| match p.get("word").unwrap().as_str().unwrap() {
        "a" => Err(Fault::Own("the loss became NaN".into())),
        "b" => Ok(f64::NAN),
        "d" => panic!("a bug"),
        _ => Ok(hill(p)),
    });
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let found = run(&Random::new(mixed(), 4, 40), &trial, &Journal::in_memory(), 3).unwrap();
    std::panic::set_hook(hook);
    assert_eq!(found.records.len(), 40);
    for record in &found.records {
        let word = record.proposal.point.get("word").unwrap().as_str().unwrap();
        let expected = match word {
            "a" => Some("the loss became NaN"),
            "b" => Some("the metric became NaN"),
            "d" => Some("a fault in the program: a bug"),
            _ => None,
        };
        assert_eq!(record.outcome.as_ref().err().map(String::as_str), expected, "{word}");
    }
    assert_eq!(best(&found.records).unwrap().proposal.point.get("word").unwrap().as_str(), Some("c"));
}

#[test]
fn a_fault_of_the_machine_ends_the_search_and_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sweep.sqlite");
    let strategy = Random::new(mixed(), 4, 12);
    let broken = std::sync::atomic::AtomicBool::new(true);
    let trial = Function(|p: &Point| {
        let fails = p.number("layers").unwrap() > 8.0 && broken.load(std::sync::atomic::Ordering::SeqCst);
        if fails { Err(Fault::machine("no space left on device")) } else { Ok(hill(p)) }
    });
    let error = run(&strategy, &trial, &journal(&path), 1).unwrap_err();
    assert!(!error.is_input() && error.to_string().contains("no space left"), "{error}");
    broken.store(false, std::sync::atomic::Ordering::SeqCst);
    let found = run(&strategy, &trial, &journal(&path), 1).unwrap();
    assert!(found.over && found.records.iter().all(|r| r.outcome.is_ok()));
}

/// Trains for at most `ends` epochs, then stops by itself.
struct Early {
    tried: Tried,
    ends: usize,
}

impl Trial for Early {
    fn run(&self, point: &Point, budget: TrialBudget, _stop: &StopFlag) -> Result<Measured, Fault> {
        self.tried.note(point);
        let (most, value) = (budget.epochs.unwrap(), hill(point));
        let epochs = most.min(self.ends);
        Ok(Measured { value, best_epoch: epochs, epochs, seconds: 1.0, complete: epochs < most })
    }
}

#[test]
fn a_survivor_that_stopped_by_itself_is_not_trained_again() {
    let halving = Halving::new(mixed(), 4, 9, Rungs::new(2, 3, 100).unwrap());
    let trial = Early { tried: Tried::default(), ends: 5 };
    let found = run(&halving, &trial, &Journal::in_memory(), 2).unwrap();
    // Nine with 2 epochs, three with 6, where training ends at 5; the last needs no third training.
    assert_eq!((found.records.len(), trial.tried.sorted().len()), (13, 12));
    let last = found.records.iter().max_by_key(|r| r.proposal.rung).unwrap();
    assert_eq!(last.outcome.as_ref().map(|m| (m.epochs, m.seconds)), Ok((5, 0.0)));
    assert_eq!(best(&found.records), Some(last));
}

#[test]
fn ties_go_to_the_smaller_number() {
    let space = Space::new(vec![("n".into(), Dimension::range(1.0, 6.0).whole())]).unwrap();
    let trial = Function(|p: &Point| Ok(f64::from(p.number("n").unwrap() > 2.0)));
    let found = run(&Grid::new(space).unwrap(), &trial, &Journal::in_memory(), 4).unwrap();
    assert_eq!(best(&found.records).map(Record::place), Some((2, 0)));
}

#[test]
fn parallel_loops_of_a_trial_run_on_threads_of_its_own() {
    let space = Space::new(vec![("n".into(), Dimension::range(1.0, 4.0).whole())]).unwrap();
    let strategy = Grid::new(space).unwrap();
    let trial = Function(|_: &Point| Ok(rayon::current_num_threads() as f64));
    let search = Search { strategy: &strategy, trial: &trial, jobs: 2, threads: 3 };
    let found = search.run(&Journal::in_memory(), &mut Silent, &StopFlag::default()).unwrap();
    assert!(found.records.iter().all(|r| r.value() == Some(3.0)));
}
