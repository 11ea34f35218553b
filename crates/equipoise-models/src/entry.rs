//! The description of a backbone: its settings, which build it, and its line in the registry.

use crate::section::{Section, SectionType, Sections, Settings, typed};
use crate::{Backbone, Build};
use equipoise_data::FieldError;

/// Where a backbone's scores get a modality from: what silencing it can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AblationEffect {
    /// As [`Inputs`](AblationEffect::Inputs), each modality in a part of the score of its own: `y_hat = y_id + sum_m s^m`
    /// without cross terms, so that silencing one changes nothing of the others.
    Additive,
    /// From features or preferences that an ablation replaces: channels, treatment effects and distillation
    /// mean something.
    Inputs,
    /// Only from frozen graphs or losses of its own: silencing a modality changes no score.
    Nothing,
}

impl AblationEffect {
    /// Whether silencing a modality changes scores, without which there is nothing to balance.
    pub fn shows(self) -> bool {
        self != AblationEffect::Nothing
    }
}

/// The settings of a backbone, which are its section `[backbone.<name>]` of the configuration, and how it is built
/// from them.
///
/// `width` is not among them: every backbone has it, as [`Build::width`].
pub trait BackboneSettings: Settings {
    /// Name in configuration files and on the command line.
    const NAME: &'static str;
    /// Name in print.
    const TITLE: &'static str;
    /// Where it was published.
    const SOURCE: &'static str;
    /// One line on what it is, shown by help texts and tables.
    const SUMMARY: &'static str;
    /// What silencing a modality can show.
    const ABLATION_EFFECT: AblationEffect;
    /// Its line in the registry.
    const ENTRY: BackboneEntry = BackboneEntry::of::<Self>();

    /// Checks the range of every setting.
    ///
    /// # Errors
    /// `field = value: expected ...` for the first setting out of its range.
    fn check(&self) -> Result<(), FieldError> {
        Ok(())
    }

    /// Registers the parameters and returns the network.
    fn build(&self, build: &mut Build) -> Box<dyn Backbone>;
}

/// One line of the registry.
#[derive(Clone, Copy)]
pub struct BackboneEntry {
    /// Name in configuration files and on the command line.
    pub name: &'static str,
    /// Name in print.
    pub title: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// One line on what it is.
    pub summary: &'static str,
    /// What silencing a modality can show.
    pub ablation_effect: AblationEffect,
    section: SectionType,
    check: fn(&dyn Section) -> Result<(), FieldError>,
    build: fn(&dyn Section, &mut Build) -> Box<dyn Backbone>,
}

impl BackboneEntry {
    /// The entry of the backbone with settings `T`.
    pub const fn of<T: BackboneSettings>() -> BackboneEntry {
        BackboneEntry {
            name: T::NAME,
            title: T::TITLE,
            source: T::SOURCE,
            summary: T::SUMMARY,
            ablation_effect: T::ABLATION_EFFECT,
            section: SectionType::of::<T>(),
            check: |section| typed::<T>(section).expect(OWN).check(),
            build: |section, build| typed::<T>(section).expect(OWN).build(build),
        }
    }

    /// The type of its section.
    pub fn section(&self) -> SectionType {
        self.section
    }

    /// Checks the ranges of its own section.
    ///
    /// # Errors
    /// `field = value: expected ...` for the first setting out of its range.
    pub fn check(&self, sections: &Sections) -> Result<(), FieldError> {
        (self.check)(sections.of(self.name, self.section).as_ref())
    }

    /// Registers the parameters and returns the network. The settings have been checked.
    pub fn build(&self, sections: &Sections, build: &mut Build) -> Box<dyn Backbone> {
        (self.build)(sections.of(self.name, self.section).as_ref(), build)
    }
}

const OWN: &str = "an entry is given a section of its own type";
