//! What a balancer's numbers are called: as its entry in the registry says.

pub(crate) use equipoise_balance::{Quantities, Quantity};

/// The numbers of the balancer of that name. A run whose balancer this program does not have, such as one that was
/// registered by another program, has words that fit any.
pub(crate) fn of(balance: &str) -> Quantities {
    equipoise_balance::find(balance).map_or(Quantities::GENERAL, |entry| entry.quantities)
}
