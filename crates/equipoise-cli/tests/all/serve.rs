//! `equipoise serve` as a process of its own: what a kill leaves, how it stops, what it refuses to start with.

use crate::common;
#[path = "../../../equipoise-serve/tests/all/made/mod.rs"]
mod made;

use common::{failure, json as printed, ok, program};
use made::Made;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;
use tempfile::TempDir;

/// A server in a process of its own, which is killed with the test.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts one and waits until it says where it listens.
    fn start(arguments: &[&str], dir: &Path) -> Server {
        Server::limited(arguments, dir, None)
    }

    /// One that may write files of at most so many bytes, as on a disk that is full.
    fn limited(arguments: &[&str], dir: &Path, limit: Option<u64>) -> Server {
        let mut command = Command::new(common::path());
        if let Some(bytes) = limit {
            let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
            // SAFETY: setrlimit may be called between fork and exec.
            unsafe {
                command.pre_exec(move || match libc::setrlimit(libc::RLIMIT_FSIZE, &limit) {
                    0 => Ok(()),
                    _ => Err(std::io::Error::last_os_error()),
                });
            }
        }
        command.arg("serve").args(arguments).args(["--bind", "127.0.0.1:0", "--log", "off"]).current_dir(dir);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("listening on http://")?.1.trim().to_owned()));
        std::thread::spawn(move || lines.for_each(drop));
        Server { child, address: address.expect("the server says where it listens") }
    }

    fn connect(&self) -> std::io::Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(BufReader::new(stream))
    }

    /// Posts on a connection of its own; the status and the body.
    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        ask(&mut self.connect().expect("it listens"), path, body).expect("it answers")
    }

    fn signal(&self, signal: i32) {
        // SAFETY: the process is a child that has not been waited for.
        assert_eq!(unsafe { libc::kill(self.child.id() as i32, signal) }, 0);
    }

    fn wait(mut self) -> ExitStatus {
        self.child.wait().expect("it can be waited for")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Posts on a connection that stays open. An error if the server has gone, whole answers otherwise.
fn ask(stream: &mut BufReader<TcpStream>, path: &str, body: &Value) -> std::io::Result<(u16, Value)> {
    let text = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        text.len()
    );
    stream.get_mut().write_all((head + &text).as_bytes())?;
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status =
        line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        match line.to_ascii_lowercase().split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().expect("a number"),
            Some(_) => {}
            None => break,
        }
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes)?;
    Ok((status, serde_json::from_slice(&bytes).expect("an answer is JSON")))
}

fn write(path: &Path, seed: u64) {
    let made =
        Made { users: 40, items: 60, modalities: &[("image", 6), ("text", 4)], ids: 5, taken: 4, seed };
    made.write(path).expect("it is written");
}

/// A directory with a model `m`.
fn shop() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    write(&dir.path().join("m"), 1);
    dir
}

/// The first two columns of the feedback of a file that a server has left.
fn kept(dir: &Path) -> HashSet<(String, String)> {
    let table = dir.join("kept.csv");
    ok(program().current_dir(dir).args(["feedback", "export", "f.sqlite", "--all", "--out", "kept.csv"]));
    let text = std::fs::read_to_string(table).expect("a table");
    let row = |line: &str| {
        let mut cells = line.split(',').map(str::to_owned);
        (cells.next().expect("a user"), cells.next().expect("an item"))
    };
    text.lines().skip(1).map(row).collect()
}

#[test]
fn a_kill_under_load_loses_no_feedback_that_was_said_to_be_on_the_disk() {
    let dir = shop();
    let server = Server::start(&["m", "--feedback", "f.sqlite"], dir.path());
    let acknowledged: Vec<(String, String)> = scope(|threads| {
        let send = |thread: usize| {
            let mut stream = server.connect().expect("it listens");
            let mut known = Vec::new();
            for request in 0.. {
                let rows: Vec<(String, String)> =
                    (0..20).map(|k| (format!("u{thread}"), format!("i{request}-{k}"))).collect();
                let event = |(user, item): &(String, String)| json!({"user": user, "item": item});
                let body = json!({"events": rows.iter().map(event).collect::<Vec<_>>(), "durable": true});
                match ask(&mut stream, "/v1/feedback", &body) {
                    Ok((200, answer)) if answer["durable"] == true => known.extend(rows),
                    Ok(other) => panic!("{other:?}"),
                    Err(_) => return known,
                }
            }
            known
        };
        let senders: Vec<_> = (0..4).map(|thread| threads.spawn(move || send(thread))).collect();
        sleep(Duration::from_millis(2500));
        server.signal(libc::SIGKILL);
        senders.into_iter().flat_map(|sender| sender.join().expect("it ends")).collect()
    });
    assert!(acknowledged.len() >= 80, "{}", acknowledged.len());
    let kept = kept(dir.path());
    assert!(acknowledged.iter().all(|row| kept.contains(row)));
    // The same file serves again.
    let server = Server::start(&["m", "--feedback", "f.sqlite"], dir.path());
    assert_eq!(server.post("/v1/feedback", &json!({"events": [{"user": "u1", "item": "i1"}]})).0, 200);
}

#[test]
fn on_a_full_disk_no_feedback_is_acknowledged_that_is_not_kept_and_lists_are_still_made() {
    let dir = shop();
    let server = Server::limited(&["m", "--feedback", "f.sqlite"], dir.path(), Some(256 << 10));
    let (mut known, mut refused) = (Vec::new(), 0);
    for request in 0..40 {
        let rows: Vec<(String, String)> =
            (0..500).map(|k| (format!("u{}", k % 40), format!("i{request}-{k}"))).collect();
        let event = |(user, item): &(String, String)| json!({"user": user, "item": item});
        let body = json!({"events": rows.iter().map(event).collect::<Vec<_>>(), "durable": true});
        match server.post("/v1/feedback", &body) {
            (200, answer) if answer["durable"] == true => known.extend(rows),
            (503, problem) => {
                assert!(problem["detail"].as_str().is_some_and(|why| why.contains("f.sqlite")), "{problem}");
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
        if refused == 3 {
            break;
        }
    }
    assert!(
        refused == 3 && !known.is_empty(),
        "{} events were taken, {refused} requests refused",
        known.len()
    );
    assert_eq!(server.post("/v1/recommend", &json!({"users": ["u1"]})).0, 200);
    server.signal(libc::SIGTERM);
    server.wait();
    let kept = kept(dir.path());
    assert!(known.iter().all(|row| kept.contains(row)));
    // There is room again.
    let server = Server::start(&["m", "--feedback", "f.sqlite"], dir.path());
    let more = json!({"events": [{"user": "u1", "item": "i1"}], "durable": true});
    assert_eq!(server.post("/v1/feedback", &more).0, 200);
}

#[test]
fn a_reload_under_load_loses_no_request() {
    let dir = shop();
    let server = Server::start(&["m", "--watch", "0"], dir.path());
    let (done, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    scope(|threads| {
        for thread in 0..3 {
            let (server, done, answered) = (&server, &done, &answered);
            threads.spawn(move || {
                let mut stream = server.connect().expect("it listens");
                while !done.load(Ordering::SeqCst) {
                    let body = json!({"users": [format!("u{thread}")], "n": 5});
                    let (status, answer) = ask(&mut stream, "/v1/recommend", &body).expect("it answers");
                    assert_eq!(status, 200, "{answer}");
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let mut versions = HashSet::new();
        for seed in 2..8 {
            let (new, old) = (dir.path().join("new"), dir.path().join("old"));
            write(&new, seed);
            std::fs::rename(dir.path().join("m"), &old).expect("renamed");
            std::fs::rename(&new, dir.path().join("m")).expect("renamed");
            std::fs::remove_dir_all(&old).expect("removed");
            let before = answered.load(Ordering::SeqCst);
            let (status, told) = server.post("/admin/reload", &json!(null));
            assert_eq!((status, &told["models"][0]["changed"]), (200, &json!(true)), "{told}");
            versions.insert(told["models"][0]["version"].as_str().expect("a text").to_owned());
            while answered.load(Ordering::SeqCst) < before + 20 {
                sleep(Duration::from_millis(5));
            }
        }
        done.store(true, Ordering::SeqCst);
        assert_eq!(versions.len(), 6);
    });
}

#[test]
fn a_stop_answers_what_is_under_way_keeps_what_was_taken_and_exits_with_0() {
    let dir = shop();
    let server = Server::start(&["m", "--feedback", "f.sqlite"], dir.path());
    let waiting: Vec<Value> = scope(|threads| {
        // A wait for the disk of up to a second is under way when the stop comes.
        server.post("/v1/feedback", &json!({"events": [{"user": "a", "item": "i0"}], "durable": true}));
        server.post("/v1/feedback", &json!({"events": [{"user": "a", "item": "i1"}]}));
        let send = |k: usize| {
            let (status, answer) = server.post(
                "/v1/feedback",
                &json!({"events": [{"user": "b", "item": format!("i{k}")}], "durable": true}),
            );
            assert_eq!(status, 200, "{answer}");
            answer
        };
        let senders: Vec<_> = (0..3).map(|k| threads.spawn(move || send(k))).collect();
        sleep(Duration::from_millis(300));
        server.signal(libc::SIGTERM);
        senders.into_iter().map(|sender| sender.join().expect("it was answered")).collect()
    });
    assert!(waiting.iter().all(|answer| answer["durable"] == true));
    let address = server.address.clone();
    assert_eq!(server.wait().code(), Some(0));
    assert!(TcpStream::connect(address).is_err());
    let kept = kept(dir.path());
    for row in [("a", "i0"), ("a", "i1"), ("b", "i0"), ("b", "i1"), ("b", "i2")] {
        assert!(kept.contains(&(row.0.to_owned(), row.1.to_owned())), "{row:?}");
    }
}

#[test]
fn what_it_cannot_start_with_is_refused_by_name() {
    let dir = shop();
    let here = |name: &str| -> PathBuf { dir.path().join(name) };
    std::fs::write(here("empty"), "").expect("written");
    std::fs::write(here("short"), "secret\n").expect("written");
    std::fs::write(here("text"), "no feedback, but a text that is long enough").expect("written");
    let serve = |arguments: &[&str], code: i32| {
        let mut command = program();
        command.arg("serve").args(arguments).current_dir(dir.path()).timeout(Duration::from_secs(60));
        if !arguments.contains(&"--bind") {
            command.args(["--bind", "127.0.0.1:0"]);
        }
        failure(&mut command, code)
    };
    for (arguments, named) in [
        (&["m", "--share", "other=1"][..], "other"),
        (&["m", "--share", "default=0"], "--share"),
        (&["m", "--share", "default=-1"], "--share"),
        (&["m", "--share", "default"], "NAME=SHARE"),
        (&["m", "m"], "two models"),
        (&["a b=m"], "a b"),
        (&["nowhere"], "nowhere"),
        (&["m", "--queue", "0"], "--queue"),
        (&["m", "--connections", "0"], "--connections"),
        (&["m", "--connections", "18446744073709551615"], "--connections"),
        (&["m", "--threads", "1025"], "--threads"),
        (&["m", "--timeout", "0"], "--timeout"),
        (&["m", "--read-timeout", "1e18"], "--read-timeout"),
        (&["m", "--watch", "nan"], "--watch"),
        (&["m", "--token-file", "empty"], "empty"),
        (&["m", "--token-file", "short"], "short"),
        (&["m", "--token-file", "none"], "none"),
        (&["m", "--feedback", "text"], "text"),
        (&["m", "--bind", "nowhere"], "--bind"),
    ] {
        let error = serve(arguments, 2);
        assert!(error.contains(named), "{arguments:?}: {error}");
    }
    let server = Server::start(&["m", "--feedback", "f.sqlite"], dir.path());
    let error = serve(&["m", "--bind", &server.address], 1);
    assert!(error.contains(&server.address), "{error}");
    let error = serve(&["m", "--feedback", "f.sqlite"], 1);
    assert!(error.contains("f.sqlite") && error.contains("at work"), "{error}");
}

/// Three values as a `.npy` file.
fn npy(item: u8) -> Vec<u8> {
    let header = format!("{:<117}\n", "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(header.bytes());
    [f32::from(item), 1.0, 2.0].iter().for_each(|value| bytes.extend(value.to_le_bytes()));
    bytes
}

#[test]
fn feedback_is_exported_as_a_table_that_the_program_reads() {
    let dir = shop();
    let server = Server::start(&["m", "--feedback", "f.sqlite"], dir.path());
    let event = |k: usize| json!({"user": format!("u{}", k % 10), "item": format!("i{}", k / 10 + k % 3), "time": 1.7e9 + k as f64 + 0.25});
    let events: Vec<Value> = (0..100).map(event).collect();
    assert_eq!(server.post("/v1/feedback", &json!({"events": events, "durable": true})).0, 200);
    let seen = json!({"events": [{"user": "u1", "item": "i59", "weight": 0}], "durable": true});
    assert_eq!(server.post("/v1/feedback", &seen).0, 200);
    let features = dir.path().join("image");
    std::fs::create_dir(&features).expect("a folder");
    (0..12)
        .for_each(|item| std::fs::write(features.join(format!("i{item}.npy")), npy(item)).expect("written"));
    // While the server runs.
    for (table, out) in [("feedback.csv", "from-csv"), ("feedback.parquet", "from-parquet")] {
        let export = ["feedback", "export", "f.sqlite", "--out", table, "--format", "json"];
        let told = printed(program().current_dir(dir.path()).args(export));
        assert_eq!(told, json!({"rows": 100, "left_out": 1}));
        let convert = ["--split", "time", "--features", "image=image", "--to", "equipoise", "--out", out];
        let told = ok(program().current_dir(dir.path()).args(["data", "convert", table]).args(convert));
        assert!(told.contains("10 users, 12 items; 80 train, 10 validation, 10 test"), "{told}");
        ok(program().current_dir(dir.path()).args(["data", "check", out]));
    }
    let error =
        failure(program().current_dir(dir.path()).args(["feedback", "export", "none", "--out", "a.csv"]), 2);
    assert!(error.contains("none"), "{error}");
}
