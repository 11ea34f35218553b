//! The walk-through `docs/your-data.md`: every command in it is run, and what it shows is what comes out.

use crate::common;

use std::path::Path;

/// A fenced block: what follows the three backquotes, and its lines.
struct Block {
    kind: String,
    lines: Vec<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line.strip_prefix("```") {
            Some(kind) if !inside => {
                blocks.push(Block { kind: kind.to_owned(), lines: Vec::new() });
                inside = true;
            }
            Some(_) => inside = false,
            None if inside => blocks.last_mut().expect("inside of one").lines.push(line.to_owned()),
            None => {}
        }
    }
    blocks
}

/// The commands of a block: lines that end in a backslash go on, what follows ` #` is a remark.
fn commands(block: &Block) -> Vec<Vec<String>> {
    let text = block.lines.join("\n").replace("\\\n", " ");
    let words = |line: &str| {
        line.split(" #").next().unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    };
    text.lines().map(words).filter(|words: &Vec<String>| !words.is_empty()).collect()
}

fn run(command: &[String], dir: &Path) -> String {
    assert_eq!(command[0], "equipoise", "only this program is called: {command:?}");
    let output = common::program().args(&command[1..]).current_dir(dir).output().expect("the program starts");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {error}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &error
}

/// Blanks count once: columns may be set closer in the document.
fn plain(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Each line that is shown must come out, in this order; `...` stands for whatever is between.
fn shown(lines: &[String], out: &str) {
    let mut rest = out.lines().map(plain);
    for line in lines.iter().map(|line| plain(line)).filter(|line| !line.is_empty() && line != "...") {
        assert!(
            rest.any(|found| found == line),
            "{line:?} is shown, and did not come out, or not in this order:\n{out}"
        );
    }
}

#[test]
fn every_command_of_the_walk_through_runs_and_shows_what_the_document_shows() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/your-data.md");
    let text = std::fs::read_to_string(path).expect("the document");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut out = String::new();
    let (mut ran, mut compared) = (0, 0);
    for block in blocks(&text) {
        match block.kind.split_once(' ').unwrap_or((&block.kind, "")) {
            ("sh", _) => {
                out.clear();
                for command in commands(&block) {
                    out += &run(&command, dir.path());
                    ran += 1;
                }
            }
            ("text", _) => {
                shown(&block.lines, &out);
                compared += 1;
            }
            // The beginning of a file that a command wrote.
            ("csv", file) => {
                shown(&block.lines, &std::fs::read_to_string(dir.path().join(file)).expect(file));
                compared += 1;
            }
            // A file that the reader writes.
            ("toml", file) => std::fs::write(dir.path().join(file), block.lines.join("\n")).expect(file),
            (kind, _) => panic!("a block of kind {kind:?}: expected sh, text, csv or toml"),
        }
    }
    assert!(ran >= 6 && compared >= 4, "{ran} commands, {compared} comparisons");
}
