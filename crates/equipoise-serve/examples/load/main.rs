//! Sends requests to an HTTP server and says how many came back and how fast, as one JSON object.
//!
//! ```text
//! load --address 127.0.0.1:8080 --path /v1/recommend --body '{"users": ["u{user}"]}' --users 10000
//!      --connections 16 --seconds 10 [--rate 1500] [--header 'NAME: VALUE'] [--acknowledged FILE] [--go-on]
//! ```
//!
//! Each connection has a thread of its own and one request under way. Without `--rate` the next one follows at once. With it
//! requests are due at even distances, whatever the server does, and a request's time counts from when it was due: one that waits
//! for a slow one before it is slow too. `{user}` in path and body stands for a random user, `{n}` for a number that no other
//! request has. Without `--body` the method is GET.
//!
//! An answer with a status from 200 to 299 is `ok`, another one `refused` (by status); a request whose answer does not come whole
//! is `lost`. A lost request ends its connection's part unless `--go-on` is given. `--acknowledged` writes the `{n}` of each
//! answer that was ok, a line each.

mod client;
mod options;
mod times;

use client::{Client, Outcome};
use options::Options;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use times::Times;

/// What happened on some connections.
#[derive(Default)]
struct Tally {
    times: Times,
    refused: BTreeMap<u16, u64>,
    lost: u64,
    reason: Option<String>,
}

/// What all connections share.
struct Shared<'a> {
    options: &'a Options,
    start: Instant,
    /// The number of the next request.
    next: AtomicU64,
    acknowledged: Option<Mutex<std::fs::File>>,
}

fn main() -> ExitCode {
    let done = Options::parse(std::env::args().skip(1)).and_then(|options| run(&options));
    match done {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<serde_json::Value, String> {
    let file = options.acknowledged.as_ref().map(std::fs::File::create).transpose();
    let acknowledged = file.map_err(|e| format!("--acknowledged: {e}"))?.map(Mutex::new);
    let shared = Shared { options, start: Instant::now(), next: AtomicU64::new(0), acknowledged };
    let mut all = Tally::default();
    std::thread::scope(|scope| {
        let one = |seed| {
            let shared = &shared;
            scope.spawn(move || connection(shared, seed))
        };
        let threads: Vec<_> = (1..=options.connections as u64).map(one).collect();
        threads.into_iter().for_each(|thread| all.add(thread.join().expect("no connection panics")));
    });
    Ok(all.said(shared.start.elapsed()))
}

/// Sends requests until the time is over.
fn connection(shared: &Shared, seed: u64) -> Tally {
    let (options, mut tally) = (shared.options, Tally::default());
    let mut client = Client::new(&options.address, options.timeout);
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    loop {
        let n = shared.next.fetch_add(1, Ordering::Relaxed);
        let due = options.rate.map(|rate| shared.start + Duration::from_secs_f64(n as f64 / rate));
        let begin = due.unwrap_or_else(Instant::now);
        if begin.duration_since(shared.start) >= options.length {
            return tally;
        }
        std::thread::sleep(begin.saturating_duration_since(Instant::now()));
        // xorshift64 (Marsaglia 2003) is enough to choose users.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let outcome = client.ask(&options.request(n, state % options.users));
        if let Outcome::Answered(200..300) = outcome {
            shared.acknowledge(n);
        }
        let ends = matches!(outcome, Outcome::Lost(_)) && !options.go_on;
        tally.count(outcome, begin.elapsed());
        if ends {
            return tally;
        }
    }
}

impl Tally {
    fn count(&mut self, outcome: Outcome, took: Duration) {
        match outcome {
            Outcome::Answered(200..300) => self.times.add(took),
            Outcome::Answered(status) => *self.refused.entry(status).or_default() += 1,
            Outcome::Lost(reason) => {
                self.lost += 1;
                self.reason.get_or_insert(reason);
            }
        }
    }

    fn add(&mut self, other: Tally) {
        self.times.merge(other.times);
        other.refused.into_iter().for_each(|(status, n)| *self.refused.entry(status).or_default() += n);
        self.lost += other.lost;
        self.reason = self.reason.take().or(other.reason);
    }

    /// The object that is printed; times are milliseconds.
    fn said(&mut self, took: Duration) -> serde_json::Value {
        let ok = self.times.len();
        let mut at = |share| self.times.quantile(share);
        let refused: BTreeMap<String, u64> = self.refused.iter().map(|(s, n)| (s.to_string(), *n)).collect();
        json!({
            "ok": ok, "refused": refused, "lost": self.lost, "reason": self.reason,
            "seconds": took.as_secs_f64(), "per_second": ok as f64 / took.as_secs_f64(),
            "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p999": at(0.999), "max": at(1.0),
        })
    }
}

impl Shared<'_> {
    fn acknowledge(&self, n: u64) {
        if let Some(file) = &self.acknowledged {
            let mut file = file.lock().expect("no thread panics while it holds the file");
            writeln!(file, "{n}").expect("the list of acknowledged requests can be written");
        }
    }
}
