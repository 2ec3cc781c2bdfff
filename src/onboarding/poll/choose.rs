//! Whom to ask about next, of those that are due: pure.

use time::OffsetDateTime;

use super::schedule;
use crate::{
    graph::BusinessId,
    onboarding::store::{Asked, Due, Waits},
};

/// What is to be done with those that are due.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Nothing of them is waited for any more.
    pub over: Vec<BusinessId>,
    /// Meta told by another way since they were last asked about.
    pub told: Vec<Asked>,
    /// To be asked about together.
    pub ask: Vec<(BusinessId, Waits)>,
}

/// Asks about as many at once as the first one's refusals allow, and with it only about those that were refused as often: one that
/// can't be read must not spoil the answer for others.
pub fn choose(due: Vec<Due>, now: OffsetDateTime) -> Chosen {
    let mut chosen = Chosen::default();
    let mut refusals = None;
    for Due { business, refusals: so_often, waits } in due {
        let Some(waits) = waits else {
            chosen.over.push(business);
            continue;
        };
        let every = schedule::every(waits.since, now);
        let fresh = waits.told_at.filter(|at| waits.asked_at.is_none_or(|asked| *at > asked) && *at + every > now);
        if let Some(told_at) = fresh.filter(|_| !waits.signed && !waits.wanted) {
            chosen.told.push(Asked { business, due_at: told_at + every, refusal: None, polled: false });
            continue;
        }
        let first = *refusals.get_or_insert(so_often);
        if so_often == first && chosen.ask.len() < schedule::at_once(first) {
            chosen.ask.push((business, waits));
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-24 10:00 UTC);

    fn at(minutes: i64) -> OffsetDateTime {
        NOW + time::Duration::minutes(minutes)
    }

    fn due(id: &str, refusals: i32) -> Due {
        let waits = Waits { signed: false, since: at(-600), told_at: None, asked_at: Some(at(-31)), wanted: false };
        Due { business: id.parse().unwrap(), refusals, waits: Some(waits) }
    }

    fn asked(chosen: &Chosen) -> Vec<&str> {
        chosen.ask.iter().map(|(id, _)| id.as_str()).collect()
    }

    #[test]
    fn what_was_refused_is_asked_about_with_its_like_and_by_halves() {
        let many: Vec<Due> = (10..60).map(|id| due(&id.to_string(), 0)).collect();
        assert_eq!(choose(many.clone(), NOW).ask.len(), 50);
        let refused: Vec<Due> = many.iter().map(|due| Due { refusals: 3, ..due.clone() }).collect();
        assert_eq!(choose(refused, NOW).ask.len(), 6);
        let mixed = vec![due("1", 0), due("2", 5), due("3", 0), due("4", 1)];
        assert_eq!(asked(&choose(mixed, NOW)), ["1", "3"]);
        let alone = vec![due("2", 5), due("5", 5), due("1", 0)];
        assert_eq!(asked(&choose(alone, NOW)), ["2"]);
    }

    #[test]
    fn what_a_sync_told_since_is_not_asked_again() {
        let told = |minutes| {
            let due = due("1", 0);
            let waits = Waits { told_at: Some(at(minutes)), ..due.waits.unwrap() };
            Due { waits: Some(waits), ..due }
        };
        let fresh = choose(vec![told(-10)], NOW);
        assert!(fresh.ask.is_empty());
        assert_eq!((fresh.told[0].due_at, fresh.told[0].polled), (at(20), false));
        // The poll itself told it then, or it's too long ago.
        for minutes in [-31, -40] {
            assert_eq!(asked(&choose(vec![told(minutes)], NOW)), ["1"], "{minutes}");
        }
        let signed = Due { waits: told(-10).waits.map(|waits| Waits { signed: true, ..waits }), ..told(-10) };
        assert_eq!(asked(&choose(vec![signed], NOW)), ["1"], "its WABAs matter, and nobody told of them");
        let wanted = Due { waits: told(-10).waits.map(|waits| Waits { wanted: true, ..waits }), ..told(-10) };
        assert_eq!(asked(&choose(vec![wanted], NOW)), ["1"], "a member asked for it");
    }

    #[test]
    fn what_nothing_is_waited_for_is_forgotten() {
        let over = Due { waits: None, ..due("7", 0) };
        let chosen = choose(vec![over, due("8", 0)], NOW);
        assert_eq!(chosen.over, ["7".parse::<BusinessId>().unwrap()]);
        assert_eq!(asked(&chosen), ["8"]);
    }
}
