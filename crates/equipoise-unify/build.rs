//! Makes the build dependencies count: without a build script Cargo leaves them out.

fn main() {}
