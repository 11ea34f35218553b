//! From a cell to the configuration of its runs.

use super::paper::{Paper, PaperAxis};
use crate::search::Point;
use equipoise_train::RunConfig;
use equipoise_train::config::{ConfigError, Layers};

/// Where the paper's settings come from, in messages.
const ORIGIN: &str = "the paper's settings";

/// The configuration of a method's runs, without seed and places.
///
/// Layers, later ones winning: the paper's, the backbone's, what was found for the method before, the method's, what
/// was found for it, what the user set, what makes the method a variant of another: CKD without its generic loss has
/// none, whatever its weight is for all.
///
/// # Errors
/// If a key is unknown or a value out of its range.
pub fn compose(
    paper: &Paper,
    backbone: &str,
    method: &str,
    [before, own]: [&Point; 2],
    user: &Point,
) -> Result<RunConfig, ConfigError> {
    let mut layers = with_table(Layers::new(), &paper.settings)?;
    layers = layers.set("backbone.name", backbone.into(), ORIGIN.into())?;
    if let Some(entry) = paper.backbones.get(backbone) {
        layers = with_table(layers, &entry.settings)?;
    }
    layers = with_point(layers, before, "search")?;
    for settings in paper.chain(method) {
        layers = with_table(layers, settings)?;
    }
    layers = with_point(with_point(layers, own, "search")?, user, "--set")?;
    Ok(paper.variant(method).into_iter().try_fold(layers, with_table)?.resolve()?.into_inner())
}

fn with_point(layers: Layers, point: &Point, origin: &str) -> Result<Layers, ConfigError> {
    point
        .settings()
        .iter()
        .try_fold(layers, |layers, (key, value)| layers.set(key, value.clone(), format!("{origin} {key}")))
}

fn with_table(mut layers: Layers, table: &toml::Table) -> Result<Layers, ConfigError> {
    for (key, value) in leaves(table) {
        layers = layers.set(&key, value, ORIGIN.into())?;
    }
    Ok(layers)
}

/// The values of a table by dotted key.
fn leaves(table: &toml::Table) -> Vec<(String, toml::Value)> {
    let mut found = Vec::new();
    for (name, value) in table {
        match value {
            toml::Value::Table(inner) => {
                found.extend(leaves(inner).into_iter().map(|(key, value)| (format!("{name}.{key}"), value)));
            }
            value => found.push((name.clone(), value.clone())),
        }
    }
    found
}

/// The candidates of an axis, `times` being factors on the value in `start`.
///
/// # Errors
/// If a factor has no number to act on.
pub fn candidates(axis: &PaperAxis, start: &RunConfig) -> Result<Vec<toml::Value>, String> {
    if axis.times.is_empty() {
        return Ok(axis.values.clone());
    }
    let table = toml::Table::try_from(start).map_err(|e| e.to_string())?;
    let found = leaves(&table).into_iter().find(|(key, _)| *key == axis.key).map(|(_, value)| value);
    let number = found.and_then(|v| v.as_float().or_else(|| v.as_integer().map(|i| i as f64)));
    let number = number.ok_or_else(|| format!("{}: there is no number to multiply", axis.key))?;
    Ok(axis.times.iter().map(|factor| toml::Value::Float(number * factor)).collect())
}

/// Teachers for a method have the settings found for the plain model.
pub fn with_teachers_of(mut config: RunConfig, plain: &RunConfig) -> RunConfig {
    config.balance.teacher.lr = Some(plain.train.lr);
    config.balance.teacher.reg = Some(plain.train.reg);
    config
}

/// The plain model with the training and the network of `config`, evaluated as `plain` is.
pub fn plain_like(config: &RunConfig, plain: &RunConfig) -> RunConfig {
    let mut like =
        RunConfig { backbone: config.backbone.clone(), train: config.train.clone(), ..plain.clone() };
    like.train.channels = plain.train.channels;
    like
}

/// The configuration with the run of its plain model at `dir`.
pub fn with_plain_at(mut config: RunConfig, dir: &std::path::Path) -> RunConfig {
    config.balance.plain = Some(dir.to_owned());
    config
}

/// Eight hex digits that tell configurations on one data set apart, whatever their seed and places: a finished
/// run is found again only if nothing that it depends on has changed.
pub fn identity(config: &RunConfig, fingerprint: &str) -> String {
    let config = RunConfig { seed: 0, ..config.without_places() };
    let table = config.deciding_table().expect("a resolved configuration without paths is valid TOML");
    let hash = blake3::hash(format!("{fingerprint}\n{table}").as_bytes());
    hash.to_hex()[..8].to_owned()
}

/// The same of a configuration's teachers. Evaluating channels changes no teacher.
pub fn teacher_identity(config: &RunConfig, fingerprint: &str) -> String {
    let mut teacher = config.of_teacher();
    teacher.train.channels = false;
    identity(&teacher, fingerprint)
}

/// A point for people: `train.lr = 0.001, train.reg = 0.1`.
pub fn words(point: &Point) -> String {
    let shown = |value: &toml::Value| match value {
        // Short for very large and very small ones.
        toml::Value::Float(number) => format!("{number:?}"),
        value => value.to_string(),
    };
    let list: Vec<String> =
        point.settings().iter().map(|(key, value)| format!("{key} = {}", shown(value))).collect();
    if list.is_empty() { "nothing searched".into() } else { list.join(", ") }
}

/// `before` with the settings of `own` in place of its own.
pub fn joined(before: &Point, own: &Point) -> Point {
    let kept = before.settings().iter().filter(|(key, _)| own.get(key).is_none());
    Point::new(kept.chain(own.settings()).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_balance::Ckd;

    #[test]
    fn identities_forget_seed_and_places_and_nothing_else() {
        let config = RunConfig::default();
        let same = RunConfig { seed: 7, ..config.clone() };
        let mut moved = same.clone();
        (moved.data.path, moved.balance.teachers) = ("elsewhere".into(), Some("there".into()));
        assert_eq!(identity(&config, "f"), identity(&moved, "f"));
        assert_ne!(identity(&config, "f"), identity(&config, "g"));
        let mut other = config.clone();
        other.train.lr *= 2.0;
        assert_ne!(identity(&config, "f"), identity(&other, "f"));
        assert_ne!(teacher_identity(&config, "f"), teacher_identity(&other, "f"));
        other = config.clone();
        other.balance.get_mut::<Ckd>().lambda_kd = 9.0;
        assert_eq!(identity(&config, "f"), identity(&other, "f"), "the balancer is not used");
        other.train.channels = !config.train.channels;
        assert_eq!(teacher_identity(&config, "f"), teacher_identity(&other, "f"));
    }

    #[test]
    fn later_points_replace_earlier_ones() {
        let point = |key: &str, value: f64| (key.to_owned(), toml::Value::Float(value));
        let before = Point::new(vec![point("a", 1.0), point("b", 2.0)]);
        let joined = joined(&before, &Point::new(vec![point("a", 3.0)]));
        assert_eq!(words(&joined), "b = 2.0, a = 3.0");
    }
}
