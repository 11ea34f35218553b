//! The allocator's settings for training, which a program may choose. No library calls this.

/// Keeps freed buffers in the process. Each step allocates and frees tables of several MB; by default glibc
/// hands them back to the kernel every time, and the page faults cost more than the arithmetic. A program calls
/// this once, before it starts threads; elsewhere than on glibc it does nothing.
pub fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt only sets limits of the allocator.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1); // other arenas give memory back whatever the thresholds
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 30);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}
