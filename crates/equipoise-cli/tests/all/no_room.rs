//! A full disk is no fault of the input: the command ends with exit code 1, and the same command works once there is room.
//!
//! A limit on the size of files stands for the full disk, as it needs no rights: a write beyond it fails in the same place.
#![cfg(unix)]

use crate::common;

use assert_cmd::Command;
use common::{Demo, failure, ok, path};

/// The most bytes of a file where there is no room; less than the model, the report and the features have.
const ROOM: &str = "4096";

/// A call of the program, with room or without.
fn call(arguments: &[&str], room: bool) -> Command {
    // The shell counts in blocks of 512 bytes. A write beyond the limit fails only if its signal is ignored, else it ends
    // the process.
    let limit = "trap '' XFSZ; ulimit -f $(($1 / 512)); shift; exec \"$@\"";
    let script = if room { "shift; exec \"$@\"" } else { limit };
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", ROOM]).arg(path()).args(arguments);
    command
}

/// Ends with exit code 1 and the name of the file where there is no room, and works where there is.
fn fails_then_works(arguments: &[&str], file: &str) {
    let message = failure(&mut call(arguments, false), 1);
    assert!(message.contains(file) && message.contains("File too large"), "{arguments:?}: {message}");
    ok(&mut call(arguments, true));
}

#[test]
fn without_room_commands_end_with_exit_code_1_and_work_when_there_is_some() {
    let demo = Demo::new();
    let place = |name: &str| demo.dir(name).display().to_string();
    let (data, run) = (place("data"), place("run"));
    // Titles, which are written first, would take all the room.
    std::fs::remove_file(demo.data().join("items.jsonl")).expect("the demo has titles");
    let train = ["train", "--quiet", "--epochs", "2", "--data", &data, "--out", &run];
    fails_then_works(&train, "model.safetensors");
    fails_then_works(&["audit", &run], "report.html");
    fails_then_works(&["evaluate", &run, "--per-user", &place("users.parquet")], "users.parquet");
    let demo_data = place("other");
    fails_then_works(
        &["data", "generate", "demo", "--users", "60", "--items", "40", "--out", &demo_data],
        "other",
    );
    fails_then_works(&["data", "convert", &data, "--to", "equipoise", "--out", &place("converted")], ".npy");
    assert!(failure(&mut call(&train, true), 2).contains("--overwrite"), "a finished run is not replaced");
}
