//! A configuration that means the same in every directory.

use super::types::RunConfig;
use std::path::PathBuf;

impl RunConfig {
    /// The same with absolute paths, as a run keeps it: whoever opens the run may stand in another directory. A path that cannot
    /// be made absolute, or that would not be text then, stays as it is.
    #[must_use]
    pub fn with_absolute_paths(&self) -> RunConfig {
        let mut config = self.clone();
        let optional = [&mut config.balance.teachers, &mut config.balance.plain];
        for path in optional.into_iter().flatten().chain([&mut config.data.path]) {
            make_absolute(path);
        }
        config
    }
}

fn make_absolute(path: &mut PathBuf) {
    if path.as_os_str().is_empty() {
        return;
    }
    if let Ok(absolute) = std::path::absolute(&*path)
        && absolute.to_str().is_some()
    {
        *path = absolute;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_absolute_and_what_is_absent_stays_absent() {
        let mut config = RunConfig::default();
        assert_eq!(config.with_absolute_paths(), config);
        config.data.path = "some/data".into();
        config.balance.teachers = Some("/teachers".into());
        let absolute = config.with_absolute_paths();
        assert_eq!(absolute.data.path, std::env::current_dir().unwrap().join("some/data"));
        assert_eq!((absolute.balance.teachers, absolute.balance.plain), (Some("/teachers".into()), None));
    }
}
