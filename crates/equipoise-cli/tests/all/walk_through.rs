//! The walk-through of `docs/serving.md`: every command of it is run by a shell, and what it shows is what comes out.

use crate::common;

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

/// The fenced blocks of a section: what follows the three backquotes, and the text.
fn blocks(document: &str, section: &str) -> Vec<(String, String)> {
    let heading = format!("\n## {section}\n");
    let start = document.find(&heading).expect("the document has the section") + heading.len();
    let end = document[start..].find("\n## ").map_or(document.len(), |length| start + length);
    let mut parts = document[start..end].split("```");
    let mut found = Vec::new();
    while let (Some(_), Some(block)) = (parts.next(), parts.next()) {
        let (kind, text) = block.split_once('\n').expect("a block has lines");
        found.push((kind.to_owned(), text.to_owned()));
    }
    found
}

/// What the shell prints for these lines. Job control is that of a terminal, as a reader has it.
fn shell(lines: &str, dir: &Path) -> String {
    let program = common::path();
    let folder = program.parent().expect("a program lies in a folder").display();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("bash");
    command.args(["-eu", "-c", lines]).env("PATH", path).current_dir(dir);
    let output = command.output().expect("there is a shell");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{lines}\n{error}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &error
}

/// Blanks count once.
fn plain(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A port that nothing listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
    listener.local_addr().expect("it is bound").port()
}

#[test]
fn every_command_of_the_walk_through_runs_and_shows_what_the_document_shows() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/serving.md");
    let document = std::fs::read_to_string(path).expect("the document");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let port = format!("127.0.0.1:{}", free_port());
    let mut out = String::new();
    let (mut ran, mut compared) = (0, 0);
    for (kind, text) in blocks(&document, "Walk-through") {
        match kind.as_str() {
            "sh" => {
                out = shell(&text.replace("127.0.0.1:8080", &port), dir.path());
                ran += 1;
            }
            "text" => {
                let mut rest = out.lines().map(plain);
                for line in text.lines().map(plain).filter(|line| line != "...") {
                    assert!(rest.any(|found| found == line), "{line:?} did not come out:\n{out}");
                    compared += 1;
                }
            }
            other => panic!("a block of kind {other:?}: expected sh or text"),
        }
    }
    assert!(ran >= 6 && compared >= 8, "{ran} blocks run, {compared} lines compared");
    // The last block asks the server.
    assert!(out.contains("\"lists\":[{\"items\":[{\"id\":\"item-0046\""), "{out}");
    assert!(dir.path().join("tables/items.parquet").is_file());
}
