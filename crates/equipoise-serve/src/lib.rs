//! The server: recommendations by HTTP, feedback, and a page to look at them.
