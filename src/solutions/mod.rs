//! The multi-partner solutions of the partner's app: kept by the sync of `businesses`, offered where a business is onboarded.
//!
//! Who calls: `businesses` ([`upsert`], [`mark_vanished`]), `onboarding` ([`offered`], [`find_usable`], [`SolutionSelect`]).
//!
//! What always holds: only a solution Meta calls active is offered (3.3); the rest are shown with the reason they can't be used; none
//! is the choice to begin with.

#[cfg(feature = "ssr")]
mod model;
#[cfg(feature = "ssr")]
mod select;
#[cfg(feature = "ssr")]
mod store;

#[cfg(feature = "ssr")]
pub use self::{
    model::{Role, Solution, Unusable},
    select::SolutionSelect,
    store::{find_usable, mark_vanished, offered, upsert},
};
