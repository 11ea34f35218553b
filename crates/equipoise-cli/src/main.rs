//! The command-line program.

use std::process::ExitCode;

fn main() -> ExitCode {
    equipoise_cli::main()
}
