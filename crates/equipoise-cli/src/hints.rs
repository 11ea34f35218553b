//! What to do about a command line that cannot be parsed, where clap does not know.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Adds which flags take data, where a command that has such flags was given something without one. `words` are those of the
/// command line after the program's name.
pub(crate) fn with_hint(mut error: clap::Error, program: &clap::Command, words: &[String]) -> clap::Error {
    let found = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(found)) if error.kind() == ErrorKind::UnknownArgument => found.clone(),
        _ => return error,
    };
    let flags = data_flags(program, words);
    if !found.starts_with('-') && !flags.is_empty() {
        let ways: Vec<String> = flags.iter().map(|flag| format!("--{flag} {found}")).collect();
        let hint = StyledStr::from(format!("data are given by a flag: {}", ways.join(" or ")));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![hint]));
    }
    error
}

/// The flags of the command by which it is given data.
fn data_flags(program: &clap::Command, words: &[String]) -> Vec<&'static str> {
    let mut command = program;
    for word in words {
        match command.find_subcommand(word) {
            Some(inner) => command = inner,
            None => break,
        }
    }
    let has = |flag: &&str| command.get_arguments().any(|argument| argument.get_long() == Some(flag));
    ["csv", "data"].into_iter().filter(has).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, Command};

    fn told(line: &str) -> String {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let flag = |name: &'static str| Arg::new(name).long(name);
        let program = Command::new("equipoise")
            .subcommand(Command::new("run").args([flag("data"), flag("csv"), flag("out")]))
            .subcommand(Command::new("data").subcommand(Command::new("fill").arg(flag("data"))))
            .subcommand(Command::new("backbones"));
        let error =
            program.clone().try_get_matches_from([vec!["equipoise".to_owned()], words.clone()].concat());
        with_hint(error.expect_err("no such argument"), &program, &words).to_string()
    }

    #[test]
    fn data_without_a_flag_is_told_the_flags_of_the_command() {
        let message = told("run shop.csv --out o");
        assert!(
            message.contains("tip: data are given by a flag: --csv shop.csv or --data shop.csv"),
            "{message}"
        );
        let message = told("data fill shop");
        assert!(message.contains("tip: data are given by a flag: --data shop\n"), "{message}");
        for line in ["backbones shop", "run --dat shop", "data fill --out x"] {
            assert!(!told(line).contains("given by a flag"), "{line}");
        }
    }
}
