//! The command-line program.

use std::process::ExitCode;

/// musl's own allocator hands every large buffer back to the system and takes it again, which costs the demo a third of its time.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    equipoise_cli::main()
}
