//! The description of a balancer: its settings, which build it, and its line in the registry.

use crate::balancer::Balancer;
use crate::heads::HeadLosses;
use crate::quantities::Quantities;
use crate::robust::ChannelSetup;
use crate::teacher::Teacher;
use equipoise_data::{FieldError, Seed};
use equipoise_models::AblationEffect;
use equipoise_models::section::{Section, SectionType, Sections, Settings, typed};

/// What must be there before a balancer can start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing.
    Nothing,
    /// One trained teacher per modality.
    Teachers,
    /// The losses of each teacher and of the plain model, before and after their training.
    Heads,
    /// One trained teacher per modality, two of ids alone, and the plain model, measured on validation.
    Channels,
}

/// What a balancer is made from, besides its settings.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Number of modalities.
    pub modalities: usize,
    /// What the backbone's scores are made of.
    pub ablation_effect: AblationEffect,
    /// The run's seed: streams of its own are named from it.
    pub seed: Seed,
    /// One teacher per modality, in the data set's order, for [`Requirement::Teachers`] and [`Requirement::Channels`].
    pub teachers: Vec<Teacher>,
    /// One entry per modality, then the plain model, for [`Requirement::Heads`].
    pub heads: Vec<HeadLosses>,
    /// What was measured of each channel, for [`Requirement::Channels`].
    pub channels: Option<ChannelSetup>,
}

impl Setup {
    /// What a balancer with [`Requirement::Nothing`] starts from.
    pub fn new(modalities: usize, ablation_effect: AblationEffect, seed: Seed) -> Setup {
        Setup { modalities, ablation_effect, seed, teachers: Vec::new(), heads: Vec::new(), channels: None }
    }
}

/// The settings of a balancer, which are its section `[balance.<name>]` of the configuration, and how it is built from
/// them.
pub trait BalancerSettings: Settings {
    /// Name in configuration files and on the command line.
    const NAME: &'static str;
    /// Where it was published.
    const SOURCE: &'static str;
    /// One line on what it does, shown by help texts and tables.
    const SUMMARY: &'static str;
    /// Whether its loss replaces the ranking loss; [`Needs`](crate::Needs) must agree.
    const REPLACES_RANKING: bool = false;
    /// What its numbers are called in reports.
    const QUANTITIES: Quantities = Quantities::GENERAL;
    /// Its line in the registry.
    const ENTRY: BalancerEntry = BalancerEntry::of::<Self>();

    /// What must be there first.
    fn requirement(&self) -> Requirement {
        Requirement::Nothing
    }

    /// Checks the range of every setting, whichever balancer is chosen.
    ///
    /// # Errors
    /// `field = value: expected ...` for the first setting out of its range.
    fn check(&self) -> Result<(), FieldError> {
        Ok(())
    }

    /// Checks what depends on the backbone, once this balancer is chosen.
    ///
    /// # Errors
    /// `field = value: ...` for the first setting that does not go with such a backbone.
    fn check_backbone(&self, _effect: AblationEffect) -> Result<(), FieldError> {
        Ok(())
    }

    /// Settings at which it changes no loss and no update, if there are any: strength 0. The
    /// [suite](crate::suite) holds it to that.
    fn without_effect() -> Option<Self> {
        None
    }

    /// The balancer. The settings have been checked, and `setup` has what [`requirement`](Self::requirement) names.
    fn build(&self, setup: Setup) -> Box<dyn Balancer>;
}

/// One line of the registry.
#[derive(Clone, Copy)]
pub struct BalancerEntry {
    /// Name in configuration files and on the command line.
    pub name: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// Whether its loss replaces the ranking loss.
    pub replaces_ranking: bool,
    /// What its numbers are called.
    pub quantities: Quantities,
    settings: SectionType,
    has_section: bool,
    requirement: fn(&dyn Section) -> Requirement,
    check: fn(&dyn Section) -> Result<(), FieldError>,
    check_backbone: fn(&dyn Section, AblationEffect) -> Result<(), FieldError>,
    without_effect: fn() -> Option<Box<dyn Section>>,
    build: fn(&dyn Section, Setup) -> Box<dyn Balancer>,
}

impl BalancerEntry {
    /// The entry of the balancer with settings `T`.
    pub const fn of<T: BalancerSettings>() -> BalancerEntry {
        BalancerEntry {
            name: T::NAME,
            source: T::SOURCE,
            summary: T::SUMMARY,
            replaces_ranking: T::REPLACES_RANKING,
            quantities: T::QUANTITIES,
            settings: SectionType::of::<T>(),
            has_section: true,
            requirement: |section| typed::<T>(section).expect(OWN).requirement(),
            check: |section| typed::<T>(section).expect(OWN).check(),
            check_backbone: |section, effect| typed::<T>(section).expect(OWN).check_backbone(effect),
            without_effect: || T::without_effect().map(|settings| settings.boxed()),
            build: |section, setup| typed::<T>(section).expect(OWN).build(setup),
        }
    }

    /// The same without a section in configurations: for a balancer that has nothing to set.
    pub(crate) const fn without_section(self) -> BalancerEntry {
        BalancerEntry { has_section: false, ..self }
    }

    /// The type of its section, if it has one.
    pub fn section(&self) -> Option<SectionType> {
        self.has_section.then_some(self.settings)
    }

    /// What must be there first.
    pub fn requirement(&self, sections: &Sections) -> Requirement {
        (self.requirement)(self.own(sections).as_ref())
    }

    /// Checks the ranges of its own section, whichever balancer is chosen.
    ///
    /// # Errors
    /// `field = value: expected ...` for the first setting out of its range.
    pub fn check(&self, sections: &Sections) -> Result<(), FieldError> {
        (self.check)(self.own(sections).as_ref())
    }

    /// Checks what depends on the backbone, for the balancer that is chosen.
    ///
    /// # Errors
    /// `field = value: ...` for the first setting that does not go with such a backbone.
    pub fn check_backbone(&self, sections: &Sections, effect: AblationEffect) -> Result<(), FieldError> {
        (self.check_backbone)(self.own(sections).as_ref(), effect)
    }

    /// The sections of a configuration at which it changes nothing, if there are any.
    pub fn without_effect(&self) -> Option<Sections> {
        let settings = (self.without_effect)()?;
        let mut sections = Sections::default();
        sections.insert(self.name, settings);
        Some(sections)
    }

    /// The balancer. The settings have been checked, and `setup` has what [`requirement`](Self::requirement) names.
    pub fn build(&self, sections: &Sections, setup: Setup) -> Box<dyn Balancer> {
        (self.build)(self.own(sections).as_ref(), setup)
    }

    fn own(&self, sections: &Sections) -> Box<dyn Section> {
        sections.of(self.name, self.settings)
    }
}

const OWN: &str = "an entry is given a section of its own type";
