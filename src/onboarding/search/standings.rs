//! Sets of states, with what has stalled told apart: whatever is said of states, in however many terms, is one of these.

use super::{super::model::State, asked::plain, terms::nearest_of};

/// States that can stall.
const STALLING: [State; 2] = [State::Requested, State::AlreadyRequested];

/// A set of states. A state that can stall stands in it twice: as what has, and as what has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standings {
    fresh: u16,
    stalled: u16,
}

/// What of a state is in the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Whole,
    Fresh,
    Stalled,
}

const ALL: u16 = (1 << State::ALL.len()) - 1;

/// Not settled one way or the other.
const fn is_open(state: State) -> bool {
    matches!(state, State::Queued | State::Sending | State::WaitingToRetry | State::Requested | State::AlreadyRequested)
}

const fn bit(state: State) -> u16 {
    1 << state as u16
}

impl Standings {
    pub const fn none() -> Self {
        Self { fresh: 0, stalled: 0 }
    }

    pub const fn all() -> Self {
        Self { fresh: ALL, stalled: bit(State::Requested) | bit(State::AlreadyRequested) }
    }

    pub fn is_all(self) -> bool {
        self == Self::all()
    }

    fn of(states: impl IntoIterator<Item = State>) -> Self {
        let bits = states.into_iter().map(bit).fold(0, |bits, bit| bits | bit);
        Self { fresh: bits, stalled: bits & Self::all().stalled }
    }

    pub const fn or(self, other: Self) -> Self {
        Self { fresh: self.fresh | other.fresh, stalled: self.stalled | other.stalled }
    }

    pub const fn and(self, other: Self) -> Self {
        Self { fresh: self.fresh & other.fresh, stalled: self.stalled & other.stalled }
    }

    pub const fn not(self) -> Self {
        let all = Self::all();
        Self { fresh: all.fresh & !self.fresh, stalled: all.stalled & !self.stalled }
    }

    /// The set of that name: a state, or, where `groups` may be named, a group of them.
    pub fn named(name: &str, groups: bool) -> Option<Self> {
        let name = plain(name);
        if let Ok(state) = name.parse() {
            return Some(Self::of([state]));
        }
        let stalled = Self { fresh: 0, stalled: Self::all().stalled };
        match name.as_str() {
            _ if !groups => None,
            "open" => Some(Self::of(State::ALL.into_iter().filter(|state| is_open(*state)))),
            "closed" => Some(Self::of(State::ALL.into_iter().filter(|state| !is_open(*state)))),
            "attention" => Some(Self::of([State::Failed]).or(stalled)),
            "stalled" => Some(stalled),
            "waiting" => Some(Self::of(STALLING)),
            "retry" => Some(Self::of([State::WaitingToRetry])),
            "taken" => Some(Self::of([State::TakenByAnotherPartner])),
            _ => None,
        }
    }

    /// Groups that have a name of their own.
    pub const GROUPS: [(&'static str, &'static str); 7] = [
        ("open", "Not settled yet"),
        ("attention", "Failed, or stalled"),
        ("stalled", "No answer from the client for long"),
        ("waiting", "Requested or already requested"),
        ("retry", "Waiting to retry"),
        ("taken", "Taken by another partner"),
        ("closed", "Settled"),
    ];

    /// The name that was probably meant.
    pub fn nearest(name: &str, groups: bool) -> Option<String> {
        let states = State::ALL.iter().map(|state| state.as_str());
        let groups = Self::GROUPS.iter().map(|(name, _)| *name).filter(|_| groups);
        nearest_of(&plain(name), states.chain(groups).map(|name| (name, name.to_owned())))
    }

    /// The states in the set, and what of each.
    pub fn parts(self) -> impl Iterator<Item = (State, Part)> {
        State::ALL.into_iter().filter_map(move |state| {
            let (fresh, stalled) = (self.fresh & bit(state) != 0, self.stalled & bit(state) != 0);
            match (fresh, stalled) {
                (false, false) => None,
                (true, false) if STALLING.contains(&state) => Some((state, Part::Fresh)),
                (true, _) => Some((state, Part::Whole)),
                (false, true) => Some((state, Part::Stalled)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Standings {
        Standings::named(name, true).unwrap()
    }

    #[test]
    fn every_state_and_group_has_its_name() {
        for state in State::ALL {
            assert_eq!(named(state.as_str()).parts().map(|(state, _)| state).collect::<Vec<_>>(), [state]);
            assert_eq!(Standings::named(&state.as_str().replace('_', " "), false), Some(named(state.as_str())));
        }
        for (group, _) in Standings::GROUPS {
            assert!(named(group).parts().count() > 0, "{group}");
        }
        assert_eq!(Standings::named("open", false), None);
        assert_eq!(Standings::named("nonsense", true), None);
    }

    #[test]
    fn sets_are_joined_cut_and_turned_round() {
        let parts = |set: Standings| set.parts().collect::<Vec<_>>();
        assert_eq!(
            parts(named("stalled")),
            [(State::Requested, Part::Stalled), (State::AlreadyRequested, Part::Stalled)]
        );
        assert_eq!(parts(named("requested").and(named("stalled").not())), [(State::Requested, Part::Fresh)]);
        assert_eq!(parts(named("attention").and(named("requested"))), [(State::Requested, Part::Stalled)]);
        assert_eq!(parts(named("failed").and(named("ready"))), []);
        assert!(named("open").or(named("closed")).is_all());
        assert!(named("failed").or(named("failed").not()).is_all());
    }
}
