//! Flags that say how interactions are divided, for whatever comes without a split.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use equipoise_data::SplitRule;

/// The rules, each with what it does.
pub fn rule() -> impl TypedValueParser<Value = SplitRule> {
    let values = SplitRule::ALL.map(|rule| PossibleValue::new(rule.name()).help(rule.describe()));
    PossibleValuesParser::new(values)
        .map(|name| SplitRule::named(&name).expect("one of the names that the parser allows"))
}
