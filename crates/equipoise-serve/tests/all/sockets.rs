//! Clients as they are on a network: slow, broken off, many, and with requests that are none.

use crate::mutants;
use crate::shop;

use equipoise_jobs::StopFlag;
use equipoise_serve::Server;
use mutants::{Chance, Mutant, change_bytes};
use shop::Shop;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

/// A server that listens, and stops with the test.
struct Listening {
    address: SocketAddr,
    stop: Arc<StopFlag>,
    running: Option<JoinHandle<()>>,
    _shop: Shop,
}

impl Listening {
    /// One that waits 300 ms for slow clients.
    fn new() -> Listening {
        Listening::patient(64, Duration::from_millis(300))
    }

    fn patient(connections: usize, read_timeout: Duration) -> Listening {
        let mut shop = Shop::with_feedback(&["a", "b"]);
        shop.options.bind = "127.0.0.1:0".parse().unwrap();
        shop.options.read_timeout = read_timeout;
        shop.options.connections = connections;
        let server = Server::bind(&shop.options).unwrap();
        let (address, stop) = (server.address(), Arc::new(StopFlag::default()));
        let running = std::thread::spawn({
            let stop = stop.clone();
            move || server.run(&stop).unwrap()
        });
        Listening { address, stop, running: Some(running), _shop: shop }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// Sends bytes and reads until the server closes.
    fn send(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // A server that has refused the beginning need not read the rest.
        stream.write_all(bytes).ok();
        rest(&mut stream)
    }

    /// Whether it answers a request in good order.
    fn lives(&self) {
        let reply = self.send(&asked("POST", "/v1/recommend", r#"{"users": ["u1"]}"#, true));
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop.raise();
        if let Some(running) = self.running.take() {
            running.join().unwrap();
        }
    }
}

/// What comes until the connection ends, however it ends, but for a wait without end.
fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes) {
        assert_ne!(error.kind(), ErrorKind::WouldBlock, "the server held the connection");
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn asked(method: &str, path: &str, body: &str, last: bool) -> Vec<u8> {
    let end = if last { "connection: close\r\n" } else { "" };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{end}content-length: {}\r\n\r\n",
        body.len()
    );
    (head + body).into_bytes()
}

#[test]
fn requests_that_follow_each_other_are_answered_in_their_order_on_one_connection() {
    let server = Listening::new();
    let mut bytes = Vec::new();
    for user in ["u1", "none", "u2", "u3"] {
        bytes.extend(asked(
            "POST",
            "/v1/models/a/recommend",
            &format!(r#"{{"users": ["{user}"], "n": 1}}"#),
            user == "u3",
        ));
    }
    let replies = server.send(&bytes);
    let statuses: Vec<&str> = replies.split("HTTP/1.1 ").skip(1).map(|reply| &reply[..3]).collect();
    assert_eq!(statuses, ["200", "422", "200", "200"], "{replies}");
    let places = ["u1", "u2", "u3"].map(|user| replies.find(&format!(r#""user":"{user}""#)).unwrap());
    assert!(places.is_sorted(), "{replies}");
}

#[test]
fn a_client_that_sends_nothing_or_half_a_head_is_not_waited_for() {
    let server = Listening::new();
    for bytes in ["", "POST /v1/rec", "POST /v1/recommend HTTP/1.1\r\nhost: x\r\n"] {
        let reply = server.send(bytes.as_bytes());
        assert!(!reply.starts_with("HTTP/1.1 2"), "{reply}");
    }
    // Nor is one whose connection is kept open for nothing.
    let reply = server.send(&asked("POST", "/v1/recommend", r#"{"users": ["u1"]}"#, false));
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    server.lives();
}

#[test]
fn a_body_that_comes_slowly_is_given_up_and_one_that_breaks_off_is_refused() {
    let server = Listening::new();
    let body = r#"{"users": ["u1"]}"#;
    let whole = asked("POST", "/v1/recommend", body, true);
    let part = &whole[..whole.len() - 5];
    let slow = server.send(part);
    assert!(slow.starts_with("HTTP/1.1 408") && slow.contains("application/problem+json"), "{slow}");
    let mut stream = server.connect();
    stream.write_all(part).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let cut = rest(&mut stream);
    assert!(cut.is_empty() || cut.starts_with("HTTP/1.1 400"), "{cut}");
    // In pieces, but in time.
    let mut stream = server.connect();
    for piece in whole.chunks(whole.len() / 3) {
        stream.write_all(piece).unwrap();
        sleep(Duration::from_millis(20));
    }
    assert!(rest(&mut stream).starts_with("HTTP/1.1 200"));
}

#[test]
fn a_client_that_never_reads_its_answers_loses_its_connection_and_holds_up_nobody() {
    let server = Listening::new();
    let mut stream = server.connect();
    stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
    let users: Vec<String> = (0..shop::USERS).map(|user| format!("\"u{user}\"")).collect();
    let body = format!(r#"{{"users": [{}], "n": 50, "explain": true}}"#, users.join(","));
    let one = asked("POST", "/v1/recommend", &body, false);
    assert!(server.send(&asked("POST", "/v1/recommend", &body, true)).len() > 100_000, "a long answer");
    // The answers fill what the system keeps for the client, and then the server cannot write.
    let ended = (0..2_000).find_map(|_| {
        sleep(Duration::from_millis(5));
        stream.write_all(&one).err()
    });
    let ended = ended.expect("the server ends the connection");
    assert!(
        matches!(ended.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset),
        "the server held the connection: {ended}"
    );
    server.lives();
}

#[test]
fn a_body_without_a_length_is_held_to_the_same_limit() {
    let server = Listening::new();
    let head = "POST /v1/recommend HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let small = server.send(format!("{head}11\r\n{{\"users\": [\"u1\"]}}\r\n0\r\n\r\n").as_bytes());
    assert!(small.starts_with("HTTP/1.1 200"), "{small}");
    let mut stream = server.connect();
    stream.write_all(head.as_bytes()).unwrap();
    let piece = format!("10000\r\n{}\r\n", " ".repeat(65_536));
    for _ in 0..17 {
        if stream.write_all(piece.as_bytes()).is_err() {
            break;
        }
    }
    let large = rest(&mut stream);
    assert!(large.is_empty() || large.starts_with("HTTP/1.1 413"), "{large}");
    let declared = asked("POST", "/v1/recommend", "", true);
    let declared =
        String::from_utf8(declared).unwrap().replace("content-length: 0", "content-length: 99999999999");
    let reply = server.send(declared.as_bytes());
    assert!(reply.starts_with("HTTP/1.1 413"), "{reply}");
}

#[test]
fn one_connection_more_than_there_may_be_waits_until_another_ends() {
    let server = Listening::patient(2, Duration::from_secs(30));
    let (first, second) = (server.connect(), server.connect());
    let mut third = server.connect();
    third.write_all(&asked("POST", "/v1/recommend", r#"{"users": ["u1"]}"#, true)).unwrap();
    third.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert_eq!(third.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    third.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    drop(first);
    assert!(rest(&mut third).starts_with("HTTP/1.1 200"));
    drop(second);
    server.lives();
}

#[test]
fn what_is_no_request_at_all_ends_its_own_connection_alone() {
    let server = Listening::new();
    let mut chance = Chance(5);
    for _ in 0..300 {
        let mutant = Mutant::new(&mut chance);
        let text = String::from_utf8_lossy(&mutant.body).into_owned();
        let mut bytes = asked(&mutant.method, &mutant.path, &text, true);
        change_bytes(&mut bytes, &mut chance);
        let mut stream = server.connect();
        stream.write_all(&bytes).ok();
        stream.shutdown(Shutdown::Write).ok();
        let reply = rest(&mut stream);
        assert!(!reply.starts_with("HTTP/1.1 5"), "{reply}\n{}", String::from_utf8_lossy(&bytes));
    }
    server.lives();
    let metrics = server.send(&asked("GET", "/metrics", "", true));
    assert!(metrics.contains("equipoise_panics_total 0"), "{metrics}");
}
