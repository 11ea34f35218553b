//! Which modalities are silenced.

/// A set `S` of silenced modalities, by position. For every `m` in `S` the item features and the user
/// preferences of `m` are replaced by their means over the whole catalogue and over all users, before any
/// projection; ids are never silenced.
///
/// # Examples
/// ```
/// use equipoise_models::Ablation;
/// assert_eq!(Ablation::only(0, 2), Ablation::without(1)); // two modalities: the same thing
/// assert!(Ablation::ids_only(3).silences(2));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ablation {
    silenced: u64,
}

/// Most modalities that a data set may have.
pub const MAX_MODALITIES: usize = 64;

// Parts of labels.
const FULL: &str = "full";
const IDS_ONLY: &str = "ids only";
const ONLY: &str = "only ";
const JOIN: &str = " + ";

impl Ablation {
    /// Nothing silenced: `f({})`.
    pub const FULL: Ablation = Ablation { silenced: 0 };

    /// Only modality `m` of `n` kept (with the ids): the channel `uni(m) = f(M \ {m})`.
    pub fn only(m: usize, n: usize) -> Ablation {
        Ablation { silenced: Ablation::ids_only(n).silenced & !(1 << m) }
    }

    /// Modality `m` silenced: `loo(m) = f({m})`.
    pub fn without(m: usize) -> Ablation {
        Ablation { silenced: 1 << m }
    }

    /// Every one of `n` modalities silenced: `f(M)`.
    pub fn ids_only(n: usize) -> Ablation {
        debug_assert!(n <= MAX_MODALITIES);
        Ablation { silenced: if n == MAX_MODALITIES { u64::MAX } else { (1 << n) - 1 } }
    }

    /// The set with these positions silenced.
    pub fn silencing(positions: impl IntoIterator<Item = usize>) -> Ablation {
        Ablation { silenced: positions.into_iter().fold(0, |s, m| s | 1 << m) }
    }

    /// Whether modality `m` is silenced.
    pub fn silences(self, m: usize) -> bool {
        self.silenced >> m & 1 == 1
    }

    /// A name for people: `full`, `only text`, `without text`, `ids only`, or the list of what is kept.
    pub fn label(self, names: &[&str]) -> String {
        let kept: Vec<&str> = (0..names.len()).filter(|&m| !self.silences(m)).map(|m| names[m]).collect();
        match (kept.len(), names.len()) {
            (k, n) if k == n => FULL.into(),
            (0, _) => IDS_ONLY.into(),
            _ => format!("{ONLY}{}", kept.join(JOIN)),
        }
    }

    /// The ablation that [`label`](Self::label) calls so among the same names; `None` if there is none.
    pub fn from_label(label: &str, names: &[&str]) -> Option<Ablation> {
        match label {
            FULL => Some(Ablation::FULL),
            IDS_ONLY => Some(Ablation::ids_only(names.len())),
            _ => {
                let kept = listed(label.strip_prefix(ONLY)?, names, 0)?;
                Some(Ablation::silencing((0..names.len()).filter(|m| !kept.contains(m))))
            }
        }
    }
}

/// The positions of `names`, from `first`, that `text` lists in their order.
fn listed(text: &str, names: &[&str], first: usize) -> Option<Vec<usize>> {
    (first..names.len()).find_map(|m| {
        let rest = text.strip_prefix(names[m])?;
        if rest.is_empty() {
            return Some(vec![m]);
        }
        let others = listed(rest.strip_prefix(JOIN)?, names, m + 1)?;
        Some([vec![m], others].concat())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_ablations_are_what_they_say() {
        let kept = |a: Ablation| (0..3).filter(|&m| !a.silences(m)).collect::<Vec<_>>();
        assert_eq!(kept(Ablation::FULL), [0, 1, 2]);
        assert_eq!(kept(Ablation::only(1, 3)), [1]);
        assert_eq!(kept(Ablation::without(1)), [0, 2]);
        assert_eq!(kept(Ablation::ids_only(3)), [] as [usize; 0]);
        assert_eq!(Ablation::only(0, 1), Ablation::FULL);
        assert_eq!(Ablation::without(0), Ablation::ids_only(1));
    }

    #[test]
    fn labels_name_what_is_kept() {
        let names = ["image", "text", "audio"];
        assert_eq!(Ablation::FULL.label(&names), "full");
        assert_eq!(Ablation::only(1, 3).label(&names), "only text");
        assert_eq!(Ablation::without(1).label(&names), "only image + audio");
        assert_eq!(Ablation::ids_only(3).label(&names), "ids only");
    }

    #[test]
    fn every_set_is_found_again_by_its_label() {
        // Names that begin like one another, and one that looks like a list.
        for names in [&["a"][..], &["a", "ab"], &["full", "a + b", "a", "b"]] {
            for set in 0..1 << names.len() {
                let ablation = Ablation::silencing((0..names.len()).filter(|m| set >> m & 1 == 1));
                let label = ablation.label(names);
                let found = Ablation::from_label(&label, names).expect("a label of these names");
                assert_eq!(found.label(names), label);
            }
        }
        assert_eq!(Ablation::from_label("only b", &["a"]), None);
        assert_eq!(Ablation::from_label("without a", &["a"]), None);
        let names = ["image", "text", "audio"];
        assert_eq!(Ablation::from_label("only image + audio", &names), Some(Ablation::without(1)));
    }
}
