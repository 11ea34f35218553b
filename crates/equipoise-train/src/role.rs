//! Which model of a run is in training: the model itself, the plain model, or the teacher of one channel.
//!
//! The role decides the random seed and the ablation under which the model is trained. Its text, such as
//! `teacher image`, stands in events, in `metrics.json` and in the metadata of the saved parameters.

use equipoise_data::Seed;
use equipoise_models::Ablation;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Which model of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Role {
    /// The model itself, under the configured balancer.
    Model,
    /// The same model without a balancer, for a balancer that compares with it. It draws the same random numbers as the
    /// model itself.
    Plain,
    /// The teacher of the modality of that name: the model trained with every other modality silenced.
    Teacher(String),
    /// The teacher of the ids: the model trained with every modality silenced.
    Ids,
    /// Another teacher of the ids, from a seed of its own: what any second model adds to the first.
    SecondIds,
}

const MODEL: &str = "model";
const PLAIN: &str = "plain model";
const TEACHER: &str = "teacher ";
const IDS: &str = "ids teacher";
const SECOND_IDS: &str = "second ids teacher";

impl Role {
    /// The seed that this model draws from. A teacher is a model of its own: its draws are independent of the
    /// student's and of other teachers'.
    pub fn seed(&self, run: Seed) -> Seed {
        match self {
            Role::Model | Role::Plain => run,
            Role::Teacher(_) | Role::Ids | Role::SecondIds => run.part(&self.to_string()),
        }
    }

    /// The ablation under which this model is trained and selected, among modalities of these names; `None` for the
    /// teacher of a modality that is not among them.
    pub fn ablation(&self, modalities: &[&str]) -> Option<Ablation> {
        match self {
            Role::Model | Role::Plain => Some(Ablation::FULL),
            Role::Teacher(own) => {
                let m = modalities.iter().position(|name| name == own)?;
                Some(Ablation::only(m, modalities.len()))
            }
            Role::Ids | Role::SecondIds => Some(Ablation::ids_only(modalities.len())),
        }
    }

    /// With its article, as part of a sentence: `the image teacher`.
    pub fn in_a_sentence(&self) -> String {
        match self {
            Role::Model => "the model".into(),
            Role::Plain => "the plain model that the balancer needs".into(),
            Role::Teacher(modality) => format!("the {modality} teacher"),
            Role::Ids => "the ids teacher".into(),
            Role::SecondIds => "the second ids teacher".into(),
        }
    }

    /// The directory of its run among the teachers; `None` for the model itself.
    pub fn directory(&self) -> Option<&str> {
        match self {
            Role::Model => None,
            Role::Plain => Some("plain"),
            Role::Teacher(modality) => Some(modality),
            Role::Ids => Some("ids"),
            Role::SecondIds => Some("ids-2"),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Role::Model => f.pad(MODEL),
            Role::Plain => f.pad(PLAIN),
            Role::Teacher(modality) => write!(f, "{TEACHER}{modality}"),
            Role::Ids => f.pad(IDS),
            Role::SecondIds => f.pad(SECOND_IDS),
        }
    }
}

/// A text that names no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown role {0:?}: expected `model`, `plain model`, `teacher <modality>`, `ids teacher` or `second ids teacher`"
)]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Role, UnknownRole> {
        match text {
            MODEL => Ok(Role::Model),
            PLAIN => Ok(Role::Plain),
            IDS => Ok(Role::Ids),
            SECOND_IDS => Ok(Role::SecondIds),
            _ => match text.strip_prefix(TEACHER) {
                Some(modality) => Ok(Role::Teacher(modality.to_owned())),
                None => Err(UnknownRole(text.to_owned())),
            },
        }
    }
}

impl From<Role> for String {
    fn from(role: Role) -> String {
        role.to_string()
    }
}

impl TryFrom<String> for Role {
    type Error = UnknownRole;

    fn try_from(text: String) -> Result<Role, UnknownRole> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles() -> [Role; 6] {
        let teachers = ["image", "model"].map(|name| Role::Teacher(name.into()));
        let [image, model] = teachers;
        [Role::Model, Role::Plain, image, model, Role::Ids, Role::SecondIds]
    }

    #[test]
    fn each_role_is_read_back_from_its_text() {
        for role in roles() {
            assert_eq!(role.to_string().parse(), Ok(role.clone()));
            let json = serde_json::to_string(&role).unwrap();
            assert_eq!(json, format!("\"{role}\""));
            assert_eq!(serde_json::from_str::<Role>(&json).unwrap(), role);
        }
        assert!("teachers".parse::<Role>().unwrap_err().to_string().contains("\"teachers\""));
    }

    #[test]
    fn the_plain_model_draws_as_the_model_does_and_each_teacher_for_itself() {
        let [model, plain, image, other, ids, second] = roles().map(|role| role.seed(Seed(7)));
        assert_eq!((model, plain), (Seed(7), Seed(7)));
        assert_eq!(image, Seed(7).part("teacher image"), "the text of earlier versions, so that seeds stay");
        let mut teachers = vec![Seed(7), image, other, ids, second];
        teachers.dedup();
        assert_eq!(teachers.len(), 5);
    }

    #[test]
    fn a_teacher_is_trained_under_its_own_modality_alone() {
        let names = ["text", "image", "audio"];
        assert_eq!(Role::Model.ablation(&names), Some(Ablation::FULL));
        assert_eq!(Role::Teacher("image".into()).ablation(&names), Some(Ablation::only(1, 3)));
        assert_eq!(Role::Teacher("video".into()).ablation(&names), None);
        assert_eq!(Role::SecondIds.ablation(&names), Some(Ablation::ids_only(3)));
    }
}
