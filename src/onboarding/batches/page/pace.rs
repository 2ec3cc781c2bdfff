//! At the side of a batch: how many answers came in each of the last minutes, and how much of Meta's limit is used up.

use leptos::prelude::*;
use time::Duration;

use super::{
    super::pace::{MINUTES, Minutes, rounded},
    batch::Sight,
};
use crate::ui::{Fact, Facts, Meter, Name, Timestamp, grouped};

/// The drawing's height, a bar's width and the way from one bar to the next, in its own units.
const HEIGHT: u64 = 40;
const BAR: u64 = 13;
const STEP: u64 = 16;

pub(super) fn pace(sight: &Sight) -> AnyView {
    let batch = sight.batch();
    let minutes = &sight.minutes;
    let a_minute = |n: u64| format!("{} a minute", grouped(n));
    let before = sight.pulse.limit.wait.zip(batch.started_at).and_then(|(wait, started)| {
        let pace = minutes.pace(started, wait.since, sight.now)?;
        let words = a_minute(rounded(pace));
        Some(view! { <Fact term="Before the wait">{words}</Fact> })
    });
    let used = sight.pulse.limit.used_percent.map(|percent| {
        view! { <Fact term="Call limit used">{format!("{percent} %")}<Meter label="Call limit used" percent=percent/></Fact> }
    });
    let solution = batch.solution_name.clone().or_else(|| batch.solution_id.as_ref().map(ToString::to_string));
    let solution = match solution {
        Some(name) => view! { <Name name=name/> }.into_any(),
        None => "None".into_any(),
    };
    let since = sight.now - Duration::minutes(i64::try_from(MINUTES).unwrap_or(i64::MAX));
    let last = a_minute(minutes.last());
    view! {
        <h2>"Pace"</h2>
        <div class="pace">
            {bars(minutes)}
            <p class="axis"><span><Timestamp at=since now=sight.now/></span><span>"now"</span></p>
        </div>
        <Facts>
            <Fact term="Now">{last}</Fact>
            {before}
            {used}
            <Fact term="Solution">{solution}</Fact>
        </Facts>
    }
    .into_any()
}

fn bars(minutes: &Minutes) -> AnyView {
    let most = minutes.all().iter().copied().max().unwrap_or_default();
    let words = if most == 0 {
        "No answers in the last 12 minutes".to_owned()
    } else {
        let each: Vec<String> = minutes.all().iter().map(|n| grouped(*n)).collect();
        format!("Answers in each of the last 12 minutes, oldest first: {}", each.join("; "))
    };
    let rects = minutes
        .all()
        .iter()
        .zip(0_u64..)
        .map(|(answers, at)| {
            let height = tall(*answers, most);
            let class = if *answers == 0 { "off" } else { "" };
            view! {
                <rect class=class x=(at * STEP).to_string() y=(HEIGHT - height).to_string() width=BAR.to_string()
                    height=height.to_string() rx="1.5"></rect>
            }
        })
        .collect_view();
    view! {
        <svg class="spark" viewBox="0 0 189 40" preserveAspectRatio="none" role="img" aria-label=words>{rects}</svg>
    }
    .into_any()
}

/// A bar's height: the tallest fills the drawing, none is invisible.
fn tall(answers: u64, most: u64) -> u64 {
    let share = u128::from(answers) * u128::from(HEIGHT) / u128::from(most.max(1));
    u64::try_from(share).unwrap_or(HEIGHT).max(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tallest_bar_fills_the_drawing_and_none_is_invisible() {
        for (answers, most, height) in
            [(74, 74, 40), (37, 74, 20), (1, 100_000, 2), (0, 74, 2), (0, 0, 2), (u64::MAX, u64::MAX, 40)]
        {
            assert_eq!(tall(answers, most), height, "{answers} of {most}");
        }
    }

    #[test]
    fn the_drawing_is_told_in_words() {
        let words = |minutes: Minutes| Owner::new().with(|| bars(&minutes).to_html());
        let page = words(Minutes::new([(0, 3), (1, 1_074)]));
        assert!(page.contains("oldest first: 0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 1,074; 3"), "{page}");
        assert_eq!(page.matches("<rect").count(), MINUTES);
        assert!(words(Minutes::default()).contains("No answers in the last 12 minutes"));
    }
}
