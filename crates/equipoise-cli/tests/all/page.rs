//! The page of the server in a real browser. `bench/serve/browser` installs what this needs and runs it.

use crate::common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A PNG of one grey pixel.
const PIXEL: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0,
    1, 8, 0, 0, 0, 0, 0x3A, 0x7E, 0x9B, 0x55, 0, 0, 0, 10, b'I', b'D', b'A', b'T', 0x78, 0x9C, 0x63, 0x68, 0,
    0, 0, 0x82, 0, 0x81, 0x77, 0xCD, 0x72, 0xB6, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xAE, 0x42, 0x60, 0x82,
];

/// A server that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Starts a server and gives its address.
fn serve(arguments: &[&str], dir: &Path) -> (Running, String) {
    let mut command = Command::new(common::path());
    command.arg("serve").args(arguments).args(["--bind", "127.0.0.1:0"]);
    let mut child =
        command.current_dir(dir).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    let (out, error) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let running = Running(child);
    let (said, heard) = std::sync::mpsc::channel();
    for pipe in [Box::new(out) as Box<dyn std::io::Read + Send>, Box::new(error)] {
        let said = said.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("listening on ") {
                    said.send(address.split_whitespace().next().unwrap_or_default().to_owned()).ok();
                }
            }
        });
    }
    drop(said);
    (running, heard.recv().expect("the server says where it listens"))
}

/// Titles of all kinds, and pictures.
fn describe(run: &Path, items: usize) {
    let kinds = ["oak chair", "wool hat", "Crème brûlée set", "<b>bold</b> & \"quoted\" lamp", ""];
    let line = |item: usize| {
        let mut object =
            serde_json::json!({"id": format!("item-{item:04}"), "picture": "pixel.png", "rank": item});
        if !kinds[item % 5].is_empty() {
            object["title"] = format!("{} {item}", kinds[item % 5]).into();
        }
        format!("{object}\n")
    };
    std::fs::write(run.join("items.jsonl"), (0..items).map(line).collect::<String>()).expect("written");
}

#[test]
#[ignore = "needs Chromium, Node.js and two packages: bench/serve/browser installs them and runs it"]
fn the_page_does_in_a_browser_what_it_says() {
    let demo = common::Demo::new();
    for (name, seed) in [("main", "1"), ("other", "2")] {
        let run = demo.dir(name);
        common::ok(demo.train(&run).args(["--seed", seed]));
        describe(&run, 80);
    }
    let pictures = demo.dir("pictures");
    std::fs::create_dir(&pictures).expect("a folder");
    std::fs::write(pictures.join("pixel.png"), PIXEL).expect("written");
    let here = demo.dir("");
    let (_running, address) = serve(&["main=main", "other=other", "--pictures", "pictures"], &here);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/page.js");
    let done = Command::new("node").arg(script).arg(&address).status();
    assert!(
        done.expect("Node.js is there: see bench/serve/browser").success(),
        "see what the browser said above"
    );
}
