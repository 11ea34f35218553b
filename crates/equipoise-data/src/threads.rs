//! How many threads may be asked for.

/// Most worker threads of one program: more than any machine has processors. A slip such as `1000000` would keep a machine busy for
/// minutes with starting threads, and take its memory.
pub const MOST_THREADS: usize = 1024;
