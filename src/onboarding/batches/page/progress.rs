//! How far a batch is: what it waits for, the one big number, the bar, the six counts.

use leptos::prelude::*;
use time::{Duration, OffsetDateTime};

use super::{
    super::{
        model::{Counts, Hold, Phase, Wait},
        pace::end,
    },
    batch::Sight,
    batch_url,
};
use crate::{
    onboarding::model::State,
    sign_in::way_to_new_token,
    ui::{Glyph, Hue, Icon, Name, StateLabel, Timestamp, age, countdown, grouped, plural, state::look_of},
};

/// What a batch waits for, on top of the page; nothing where it doesn't wait. It isn't a live region: the bar in it moves, and
/// [`said`] speaks of it.
pub(super) fn wait(sight: &Sight) -> Option<AnyView> {
    match sight.pulse.phase() {
        Phase::WaitingForMeta => sight.pulse.limit.wait.map(|wait| meta_waits(wait, sight.now)),
        Phase::SignInAgain => Some(token_waits(sight)),
        _ => None,
    }
}

/// What is said of a wait. The heading tells how long it is as a whole, and counts down what is left beside; who only hears it is told
/// what is left.
fn wait_title(wait: Wait, length: Duration) -> String {
    match wait.hold {
        Hold::Told => format!("Meta asks us to wait {}", whole(length)),
        Hold::NearLimit => format!("We hold back for {}", whole(length)),
        Hold::Away => "Meta does not answer".to_owned(),
    }
}

/// A wait in its largest unit, rounded up: it must not look over while it lasts.
fn whole(left: Duration) -> String {
    let seconds = left.whole_seconds().max(0).unsigned_abs() + u64::from(left.subsec_nanoseconds() > 0);
    let unit = match seconds {
        0..60 => 1,
        60..3_600 => 60,
        _ => 3_600,
    };
    age(std::time::Duration::from_secs(seconds.div_ceil(unit) * unit))
}

fn meta_waits(wait: Wait, now: OffsetDateTime) -> AnyView {
    let why = match wait.hold {
        Hold::Told => "The call limit is used up. We make no calls meanwhile, since each one would lengthen the wait.",
        Hold::NearLimit => {
            "The call limit is nearly used up. We hold back before it is reached, so that Meta never has to stop us."
        }
        Hold::Away => "Call after call finds nobody there. We ask now and then if Meta is back; nothing is lost.",
    };
    let (whole_wait, passed) = (wait.until - wait.since, now - wait.since);
    let seconds = |length: Duration| length.whole_seconds().max(0).to_string();
    let left = wait.until - now;
    let left = u64::try_from(left.whole_milliseconds()).ok().filter(|left| *left > 0);
    // The island counts on from here, in milliseconds. Without it the moment in the sentence is all there is.
    let count_down = left.map(|left| {
        let clock = countdown(left.div_ceil(1_000));
        view! { <span class="count-down num" data-left=left.to_string() aria-hidden="true">{clock}</span> }
    });
    let bar = (wait.hold == Hold::Told && whole_wait > Duration::ZERO).then(|| {
        view! { <progress max=seconds(whole_wait) value=seconds(passed) aria-label="Wait asked by Meta"></progress> }
    });
    view! {
        <div class="notice h-amber">
            <Icon glyph=Glyph::Clock/>
            <div>
                <h2>{wait_title(wait, whole_wait)}</h2>
                <p>{why}" Sending starts again by itself at "<Timestamp at=wait.until now=now/>". You can close this page."</p>
                {bar}
            </div>
            {count_down}
        </div>
    }
    .into_any()
}

fn token_waits(sight: &Sight) -> AnyView {
    let batch = sight.batch();
    let (text, actions) = if sight.is_mine {
        let href = way_to_new_token(&batch_url(batch.number));
        let link = view! { <div class="actions"><a class="btn" href=href>"Sign in again"</a></div> };
        ("Meta no longer accepts your token, so nothing can be sent. Sign in with Facebook again: the batch goes on by itself.".into_any(), Some(link))
    } else {
        let name = batch.member_name.clone();
        let text = view! {
            "Meta no longer accepts the token of "<Name name=name.clone()/>", so nothing can be sent. "<Name name=name/>
            " signs in to Liteboard again: the batch goes on by itself."
        };
        (text.into_any(), None)
    };
    view! {
        <div class="notice h-amber">
            <Icon glyph=Glyph::Key/>
            <div><h2>"The token no longer works"</h2><p>{text}</p></div>
            {actions}
        </div>
    }
    .into_any()
}

/// What screen readers are told now and then.
fn said(sight: &Sight) -> String {
    let counts = sight.pulse.counts;
    let answered = format!("{} of {} answered", grouped(counts.answered()), grouped(counts.total()));
    match sight.pulse.phase() {
        Phase::WaitingForMeta => {
            let wait = sight.pulse.limit.wait.map(|wait| wait_title(wait, wait.until - sight.now)).unwrap_or_default();
            format!("{wait}. {answered}")
        }
        Phase::Done => {
            let name = format!("Batch {}", sight.batch().number);
            match counts.of(State::Failed) {
                0 => format!("{name} is done"),
                failed => format!("{name} is done: {} need a look", grouped(failed)),
            }
        }
        Phase::Running => answered,
        phase => format!("{}. {answered}", phase.words()),
    }
}

/// The big number, the bar and the counts. Its attributes tell the island which version this is.
pub(super) fn progress(sight: &Sight) -> AnyView {
    let counts = sight.pulse.counts;
    let cancelled = match counts.of(State::Cancelled) {
        0 => None,
        n => Some(format!(", {} cancelled", grouped(n))),
    };
    view! {
        <section class="batch" aria-label="Progress" id="progress" data-version=sight.pulse.version() data-said=said(sight)
            data-running=sight.runs().then_some("")>
            <div class="batch-top">
                <p class="batch-big">
                    <b>{grouped(counts.answered())}</b>" of "{grouped(counts.total())}" answered"{cancelled}
                </p>
                {ending(sight)}
            </div>
            {bar(&counts)}
            {tiles(sight)}
        </section>
    }
    .into_any()
}

/// When it will be done, while that can be told.
fn ending(sight: &Sight) -> Option<AnyView> {
    let wait = match sight.pulse.phase() {
        Phase::Running => None,
        // Nobody knows when Meta will be back.
        Phase::WaitingForMeta => Some(sight.pulse.limit.wait.filter(|wait| wait.hold != Hold::Away)?),
        _ => return None,
    };
    let left = sight.pulse.counts.open();
    let until = wait.map_or(sight.now, |wait| wait.since);
    let pace = sight.minutes.pace(sight.batch().started_at?, until, sight.now);
    let end = end(left, pace, wait.map(|wait| wait.until), sight.now)?;
    let how = format!("({} left, about {} a minute)", grouped(left), grouped(end.per_minute));
    Some(
        view! {
            <p class="muted sm">
                "Done at about "<b><Timestamp at=end.at now=sight.now/></b>" "<span class="faint">{how}</span>
            </p>
        }
        .into_any(),
    )
}

/// What the bar is made of, in the order of the counts: hue, states, words.
const PARTS: [(Hue, &[State], &str); 6] = [
    (Hue::Indigo, &[State::Requested, State::AlreadyRequested], "requested"),
    (Hue::Teal, &[State::Accepted], "accepted"),
    (Hue::Green, &[State::Ready], "ready"),
    (Hue::Plum, &[State::TakenByAnotherPartner], "taken by another partner"),
    (Hue::Red, &[State::Failed], "failed"),
    (Hue::Blue, &[State::Sending], "sending"),
];

/// The bar's width and the gap between two parts, in its own units.
const WIDTH: u64 = 1_000;
const GAP: u64 = 3;

/// Where each part of the bar begins, and how long it is: whatever isn't nothing can be seen, and all of it stays on the bar, which
/// is full when nothing is left.
fn spans(parts: &[u64], total: u64) -> Vec<(u64, u64)> {
    let shown = u64::try_from(parts.iter().filter(|part| **part > 0).count()).unwrap_or_default();
    let room = WIDTH.saturating_sub(shown * (GAP + GAP));
    let mut at = 0;
    let mut spans: Vec<(u64, u64)> = parts
        .iter()
        .map(|part| {
            if *part == 0 {
                return (at, 0);
            }
            let share = u128::from(*part) * u128::from(room) / u128::from(total.max(1));
            let length = u64::try_from(share).unwrap_or(room) + GAP;
            let begin = at;
            at += length + GAP;
            (begin, length)
        })
        .collect();
    if parts.iter().sum::<u64>() >= total
        && let Some((begin, length)) = spans.iter_mut().rfind(|(_, length)| *length > 0)
    {
        *length = WIDTH - *begin;
    }
    spans
}

fn bar(counts: &Counts) -> AnyView {
    let shares = PARTS.map(|(_, states, _)| counts.among(states));
    let mut words: Vec<String> = PARTS
        .iter()
        .zip(shares)
        .filter(|(_, share)| *share > 0)
        .map(|((.., word), share)| format!("{} {word}", grouped(share)))
        .collect();
    for (states, word) in
        [(&[State::Queued, State::WaitingToRetry][..], "queued"), (&[State::Cancelled][..], "cancelled")]
    {
        let n = counts.among(states);
        if n > 0 {
            words.push(format!("{} {word}", grouped(n)));
        }
    }
    let rects = spans(&shares, counts.total())
        .into_iter()
        .zip(PARTS)
        .filter(|((_, length), _)| *length > 0)
        .map(|((at, length), (hue, ..))| {
            view! { <rect class=hue.class() x=at.to_string() y="0" width=length.to_string() height="10" rx="2"></rect> }
        })
        .collect_view();
    let words = if words.is_empty() { "Nothing to send".to_owned() } else { words.join(", ") };
    view! {
        <svg class="stackbar" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label=words>{rects}</svg>
    }
    .into_any()
}

fn tiles(sight: &Sight) -> AnyView {
    let counts = sight.pulse.counts;
    let more = |n: u64, words: &str| if n > 0 { format!("{} {words}", grouped(n)) } else { String::new() };
    let sending = match sight.pulse.phase() {
        Phase::WaitingForMeta => "paused by Meta".to_owned(),
        Phase::PausedBy(_) => "paused".to_owned(),
        Phase::SignInAgain => "waits for a sign-in".to_owned(),
        _ => String::new(),
    };
    let causes = u64::try_from(sight.failures.len()).unwrap_or_default();
    let causes = if causes > 0 { plural(causes, "cause", "causes") } else { String::new() };
    let taken = counts.of(State::TakenByAnotherPartner);
    let tile = |key: &'static str, n: u64, hint: String| {
        view! {
            <li>
                <span class="tile-n">{grouped(n)}</span>
                <StateLabel look=look_of(key)/>
                <span class="hint">{hint}</span>
            </li>
        }
    };
    view! {
        <ul class="tiles">
            {tile("queued", counts.among(&[State::Queued, State::WaitingToRetry]),
                more(counts.of(State::WaitingToRetry), "waiting to retry"))}
            {tile("sending", counts.of(State::Sending), sending)}
            {tile("requested", counts.among(&[State::Requested, State::AlreadyRequested]),
                more(counts.of(State::AlreadyRequested), "already requested"))}
            {tile("accepted", counts.among(&[State::Accepted, State::Ready]), more(counts.of(State::Ready), "ready"))}
            {tile("failed", counts.of(State::Failed), causes)}
            {tile("taken_by_another_partner", taken, if taken > 0 { "nothing to do".to_owned() } else { String::new() })}
        </ul>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_bar_is_seen_and_none_leaves_it() {
        for parts in [
            [765, 9, 0, 7, 17, 0],
            [0, 0, 0, 0, 0, 0],
            [1, 1, 1, 1, 1, 1],
            [100_000, 1, 1, 1, 1, 1],
            [u64::MAX / 8; 6],
            [0, 0, 0, 0, 1_198, 0],
        ] {
            let total = parts.iter().sum::<u64>();
            let mut end = 0;
            for (part, (at, length)) in parts.iter().zip(spans(&parts, total)) {
                assert_eq!(*part > 0, length > 0, "{parts:?}");
                assert!(length == 0 || at >= end, "{parts:?}: parts lie on each other");
                end = end.max(at + length);
            }
            assert!(end <= WIDTH, "{parts:?}: {end}");
        }
        assert_eq!(spans(&[599], 1_198), [(0, 500)], "half is half");
        assert_eq!(spans(&[292, 0], 292), [(0, 1_000), (1_000, 0)], "all is all");
    }

    #[test]
    fn a_wait_is_named_in_its_largest_unit_rounded_up() {
        for (seconds, words) in [(0, "0 s"), (59, "59 s"), (61, "2 min"), (240, "4 min"), (3_601, "2 h")] {
            assert_eq!(whole(Duration::seconds(seconds)), words);
        }
        assert_eq!(whole(Duration::milliseconds(-5)), "0 s");
    }
}
