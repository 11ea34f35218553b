//! A layout as the registry knows it: what it is called, how it is recognised, how it is read, which options it takes.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::gathered::Gathered;
use crate::error::DataError;
use crate::faults::Faults;
use crate::field_error::FieldError;
use crate::options::{FeatureSource, LoadOptions};

/// A data set to read: where it lies, and which features are wanted.
#[derive(Clone, Copy, Debug)]
pub struct ReadRequest<'a> {
    /// The data set: a directory or a file.
    pub path: &'a Path,
    /// Modalities by name, in this order; `None` for all that are there.
    pub modalities: Option<&'a [String]>,
    /// Features that lie elsewhere or under another name.
    pub features: &'a [FeatureSource],
}

/// A layout of files that makes up a data set.
///
/// An implementation recognises a path and reads the parts of the data set. The checks that hold for every data set
/// (ranges, disjoint splits, rows, ...) are made once for all layouts.
pub trait Format: Send + Sync + 'static {
    /// What the layout leaves open, with defaults; [`NoOptions`] if nothing. The names of the options are those of the
    /// serialised default, so none of them may be skipped when it is serialised.
    type Options: Serialize + DeserializeOwned + Default;

    /// Short name, e.g. `lattice`.
    fn name(&self) -> &'static str;

    /// One line that says which files belong to it.
    fn describe(&self) -> &'static str;

    /// Whether `path` looks like this layout. Reads directory entries and at most a first line.
    fn detect(&self, path: &Path) -> bool;

    /// Reads the parts. Faults go to `faults`.
    ///
    /// # Errors
    /// The first fault, if `faults` stops at the first.
    fn gather(
        &self,
        request: &ReadRequest<'_>,
        options: &Self::Options,
        faults: &mut Faults,
    ) -> Result<Gathered, DataError>;

    /// Checks what reading takes on trust, once nothing else was found wrong.
    fn audit(&self, _request: &ReadRequest<'_>) -> Vec<DataError> {
        Vec::new()
    }
}

/// The options of a layout that leaves nothing open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoOptions {}

/// A [`Format`] of any type of options.
pub struct FormatEntry(Box<dyn AnyFormat>);

impl FormatEntry {
    /// The entry of a layout.
    pub fn new(format: impl Format) -> FormatEntry {
        FormatEntry(Box::new(format))
    }

    /// Short name.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// One line that says which files belong to the layout.
    pub fn describe(&self) -> &'static str {
        self.0.describe()
    }

    /// Names of the options that the layout takes.
    pub fn options(&self) -> Vec<String> {
        self.0.options()
    }

    /// Whether `path` looks like the layout.
    pub fn detect(&self, path: &Path) -> bool {
        self.0.detect(path)
    }

    /// Reads the parts of a data set, which are not yet held against each other.
    ///
    /// # Errors
    /// An option that the layout does not take, or a value that it cannot use; what [`Format::gather`] returns.
    pub fn gather(
        &self,
        path: &Path,
        options: &LoadOptions,
        faults: &mut Faults,
    ) -> Result<Gathered, DataError> {
        let section = options.section()?;
        self.0.gather(&request(path, options), section, faults)
    }

    /// Checks what reading takes on trust.
    pub fn audit(&self, path: &Path, options: &LoadOptions) -> Vec<DataError> {
        self.0.audit(&request(path, options))
    }
}

impl std::fmt::Debug for FormatEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FormatEntry({})", self.name())
    }
}

fn request<'a>(path: &'a Path, options: &'a LoadOptions) -> ReadRequest<'a> {
    ReadRequest { path, modalities: options.modalities.as_deref(), features: &options.features }
}

/// [`Format`] without its type of options, so that layouts with different ones stand in one list.
trait AnyFormat: Send + Sync {
    fn name(&self) -> &'static str;
    fn describe(&self) -> &'static str;
    fn options(&self) -> Vec<String>;
    fn detect(&self, path: &Path) -> bool;
    fn gather(
        &self,
        request: &ReadRequest<'_>,
        section: Map<String, Value>,
        faults: &mut Faults,
    ) -> Result<Gathered, DataError>;
    fn audit(&self, request: &ReadRequest<'_>) -> Vec<DataError>;
}

impl<F: Format> AnyFormat for F {
    fn name(&self) -> &'static str {
        Format::name(self)
    }

    fn describe(&self) -> &'static str {
        Format::describe(self)
    }

    fn options(&self) -> Vec<String> {
        match serde_json::to_value(F::Options::default()) {
            Ok(Value::Object(options)) => options.into_iter().map(|(name, _)| name).collect(),
            // Options that are no struct with named fields: there is no name by which one could be given.
            Ok(_) | Err(_) => Vec::new(),
        }
    }

    fn detect(&self, path: &Path) -> bool {
        Format::detect(self, path)
    }

    fn gather(
        &self,
        request: &ReadRequest<'_>,
        section: Map<String, Value>,
        faults: &mut Faults,
    ) -> Result<Gathered, DataError> {
        let Some(options) = faults.keep(parse(self, request.path, section))? else {
            return Format::gather(self, request, &F::Options::default(), faults);
        };
        Format::gather(self, request, &options, faults)
    }

    fn audit(&self, request: &ReadRequest<'_>) -> Vec<DataError> {
        Format::audit(self, request)
    }
}

/// The options of a layout from its section. A seed that the layout does not read is no fault: it changes nothing.
fn parse<F: Format>(format: &F, path: &Path, section: Map<String, Value>) -> Result<F::Options, DataError> {
    let (name, known) = (Format::name(format), AnyFormat::options(format));
    let fault = |fault: FieldError| DataError::Option { path: path.to_owned(), fault };
    let mut options = serde_json::to_value(F::Options::default()).unwrap_or_default();
    for (key, value) in section {
        if known.contains(&key) {
            options[&key] = value;
        } else if key != "seed" {
            let expected = if known.is_empty() {
                format!("nothing, since the {name} layout leaves no choice")
            } else {
                format!("one of the options of the {name} layout: {}", known.join(", "))
            };
            let value = if value.is_object() { "{...}".to_owned() } else { value.to_string() };
            return Err(fault(FieldError::new(&key, value, expected)));
        }
    }
    // Without a section of named fields there was nothing to set: the defaults stand.
    if known.is_empty() {
        return Ok(F::Options::default());
    }
    serde_json::from_value(options).map_err(|error| {
        fault(FieldError::new("layout", "set", format!("options of the {name} layout: {error}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, serde::Deserialize, Default)]
    struct Options {
        depth: Option<u32>,
    }

    struct Probe;

    impl Format for Probe {
        type Options = Options;

        fn name(&self) -> &'static str {
            "probe"
        }

        fn describe(&self) -> &'static str {
            "nothing"
        }

        fn detect(&self, _: &Path) -> bool {
            false
        }

        fn gather(
            &self,
            _: &ReadRequest<'_>,
            options: &Options,
            _: &mut Faults,
        ) -> Result<Gathered, DataError> {
            Ok(Gathered::new(format!("{:?}", options.depth), "probe"))
        }
    }

    fn gather(section: &str) -> Result<String, String> {
        let layout = serde_json::from_str(section).expect("JSON");
        let options = LoadOptions { layout, seed: 3, ..LoadOptions::default() };
        let found = FormatEntry::new(Probe).gather(Path::new("data"), &options, &mut Faults::stop_at_first());
        found.map(|found| found.name).map_err(|error| error.to_string())
    }

    #[test]
    fn a_layout_reads_its_own_section_and_no_other_key() {
        assert_eq!(gather("{}"), Ok("None".into()));
        assert_eq!(gather(r#"{"depth": 4}"#), Ok("Some(4)".into()));
        for (section, says) in
            [(r#"{"deep": 4}"#, "options of the probe layout: depth"), (r#"{"depth": "x"}"#, "u32")]
        {
            let message = gather(section).expect_err("refused");
            assert!(message.contains(says) && message.starts_with("data: "), "{message}");
        }
    }
}
