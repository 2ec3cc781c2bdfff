//! What went wrong in a batch, by cause: in the words of a single request's page, with the one thing to do.

use leptos::prelude::*;

use super::{
    super::model::{BatchNumber, Failures, RETRIES_COUNTED},
    batch::Sight,
    batch_url, control,
};
use crate::{
    graph::Cause,
    onboarding::{
        explain::{Action, Explanation, Said, Subject, explain},
        model::State,
        page::line_view,
        search,
    },
    ui::{Glyph, Icon, Identifier, capped, grouped, plural},
};

/// The section; nothing where nothing went wrong.
pub(super) fn failures(sight: &Sight) -> Option<AnyView> {
    let taken = sight.pulse.counts.of(State::TakenByAnotherPartner);
    let causes = u64::try_from(sight.failures.len()).unwrap_or_default() + u64::from(taken > 0);
    if causes == 0 {
        return None;
    }
    let businesses = sight.pulse.counts.of(State::Failed) + taken;
    let note = format!("{}, {}", plural(businesses, "business", "businesses"), plural(causes, "cause", "causes"));
    let failed = sight.failures.iter().map(|group| group_view(sight, group)).collect_view();
    let taken = (taken > 0).then(|| taken_view(sight, taken));
    Some(
        view! {
            <section aria-labelledby="causes-h">
                <div class="section-head"><h2 id="causes-h">"What went wrong"</h2><p>{note}</p></div>
                <ul class="causes">{failed}{taken}</ul>
            </section>
        }
        .into_any(),
    )
}

/// The words for many requests at once.
fn explained(sight: &Sight, state: State, cause: Option<Cause>, said: Said<'_>, count: u64) -> Explanation {
    explain(&Subject {
        state,
        cause,
        said,
        business_name: if count == 1 { "this business" } else { "these businesses" },
        member_name: &sight.batch().member_name,
        reader_asked: sight.is_mine,
        token_dead: false,
        stands_since: None,
        answered_at: None,
        // Nothing of what is explained here waits for an admin.
        stalled_after: time::Duration::MAX,
        retry_at: None,
        paused_until: None,
        now: sight.now,
    })
}

fn group_view(sight: &Sight, group: &Failures) -> AnyView {
    let (number, now) = (sight.batch().number, sight.now);
    let example = group.example.clone().unwrap_or_default();
    let said = Said {
        subcode: example.subcode,
        message: example.message.as_deref(),
        user_message: example.user_message.as_deref(),
    };
    let explanation = explained(sight, State::Failed, group.cause.parse().ok(), said, group.count);
    // Headings are written for one request.
    let title = if group.count == 1 {
        explanation.title
    } else {
        explanation.title.replace("this business", "these businesses")
    };
    let code = example.code.map(|code| match example.subcode {
        Some(subcode) => format!("{code} / {subcode}"),
        None => code.to_string(),
    });
    let code = code.map(|code| view! { " "<code>{code}</code> });
    // Texts to copy stand on each request's own page.
    let by_hand = explanation.actions.first() == Some(&Action::CopyForSupport);
    let text = explanation.text.first().map(|line| view! { <p>{line_view(line, now)}</p> });
    let whose = explanation.who.map_or_else(|| "First: ".to_owned(), |who| format!("First, {who}: "));
    let step = explanation
        .steps
        .first()
        .filter(|_| !by_hand)
        .map(|line| view! { <p><b>{whose}</b>{line_view(line, now)}</p> });
    let trace = example.fbtrace_id.map(|trace| {
        view! { <p class="hint cause-trace">"Example fbtrace_id "<Identifier what="fbtrace_id" value=trace mono=true/></p> }
    });
    let retry_first = explanation.actions.first() == Some(&Action::Retry);
    let retry = (sight.may_send && group.retriable > 0).then(|| retry_form(group, number, retry_first));
    let these = format!("batch:{number} is:failed cause:{}", group.cause);
    let see = (!retry_first || retry.is_none()).then(|| {
        let href = search::href(&these);
        view! { <a class="btn btn-sm" href=href>{format!("See these {}", grouped(group.count))}</a> }
    });
    let title_of_file = format!("Export these {} as CSV", grouped(group.count));
    let file = view! {
        <a class="btn btn-sm btn-quiet" href=search::export_href(&these) download=true aria-label=title_of_file>
            <Icon glyph=Glyph::Download/>"CSV"
        </a>
    };
    view! {
        <li class="cause">
            <b class="cause-n num">{grouped(group.count)}</b>
            <div><h3>{title}{code}</h3>{text}{step}{trace}</div>
            <div class="actions">{see}{retry}{file}</div>
        </li>
    }
    .into_any()
}

/// Where something else is to be done first, the button stands back.
fn retry_form(group: &Failures, number: BatchNumber, first: bool) -> AnyView {
    let class = if first { "btn btn-sm" } else { "btn btn-sm btn-quiet" };
    let word = format!("Retry these {}", capped(group.retriable, RETRIES_COUNTED));
    let button = view! {
        <input type="hidden" name="cause" value=group.cause.clone()/>
        <button class=class type="submit"><Icon glyph=Glyph::Refresh/>{word}</button>
    };
    control("/onboarding/retry-failed", number, button.into_any())
}

fn taken_view(sight: &Sight, count: u64) -> AnyView {
    let (number, now) = (sight.batch().number, sight.now);
    let explanation = explained(sight, State::TakenByAnotherPartner, None, Said::default(), count);
    let text = explanation.text.iter().map(|line| view! { <p>{line_view(line, now)}</p> }).collect_view();
    let href = search::href(&format!("batch:{number} is:taken"));
    view! {
        <li class="cause">
            <b class="cause-n num">{grouped(count)}</b>
            <div><h3>{explanation.title}</h3>{text}</div>
            <div class="actions">
                <a class="btn btn-sm btn-quiet" href=href>{format!("See these {}", grouped(count))}</a>
            </div>
        </li>
    }
    .into_any()
}

/// The batches in which failures were tried again.
pub(super) fn retries(batches: &[BatchNumber]) -> Option<AnyView> {
    if batches.is_empty() {
        return None;
    }
    let links = batches
        .iter()
        .enumerate()
        .map(|(at, number)| {
            let comma = (at > 0).then_some(", ");
            view! { {comma}<a class="link" href=batch_url(*number)>{format!("batch {number}")}</a> }
        })
        .collect_view();
    Some(view! { <p class="hint">"Tried again in "{links}"."</p> }.into_any())
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{
            model::{Example, tests::pulse},
            pace::Minutes,
        },
        *,
    };

    const NOW: time::OffsetDateTime = time::macros::datetime!(2026-11-24 10:42 UTC);

    fn page(cause: &str, may_send: bool, retriable: u64) -> String {
        let example = Example {
            code: Some(200),
            message: Some("<i>no</i>".into()),
            fbtrace_id: Some("AfR7uWcN1eKq".into()),
            ..Example::default()
        };
        let sight = Sight {
            pulse: pulse(&[(State::Failed, 12), (State::TakenByAnotherPartner, 7)]),
            minutes: Minutes::default(),
            failures: vec![Failures { cause: cause.into(), count: 12, retriable, example: Some(example) }],
            latest: Vec::new(),
            retries: Vec::new(),
            may_send,
            is_mine: true,
            now: NOW,
        };
        Owner::new().with(|| failures(&sight).unwrap().to_html()).replace("<!>", "")
    }

    #[test]
    fn every_cause_has_its_words_a_count_and_something_to_do() {
        let causes = Cause::ALL.map(Cause::as_str);
        for cause in causes.into_iter().chain(["from_the_future"]) {
            let page = page(cause, true, 12);
            assert!(page.contains("19 businesses, 2 causes"), "{cause}: {page}");
            assert!(page.contains("Retry these 12") && page.contains("AfR7uWcN1eKq"), "{cause}: {page}");
            assert!(page.contains("See these 7") && page.contains("Nothing to do"), "{cause}: {page}");
            assert!(!page.contains('{') && !page.contains("<i>no") && !page.contains("text below"), "{cause}: {page}");
        }
        for (cause, first) in [
            ("access_denied", "<b>First, for an admin of your workspace: </b>In Meta Business Settings, assign"),
            ("invalid_recipient", "<b>First: </b>See the WABAs of"),
            ("token_invalid", "<b>First: </b>Sign in with Facebook again, then retry."),
            ("business_left", "<b>First, for the client: </b>Ask"),
        ] {
            let page = page(cause, true, 12);
            assert!(page.contains(first), "{cause}: {page}");
            let file = format!("href=\"/requests/export.csv?q=batch:118%20is:failed%20cause:{cause}\"");
            assert!(page.contains(&file), "{cause}: {page}");
        }
        let denied = page("access_denied", true, 12);
        assert!(denied.contains("no permission for <bdi>these businesses</bdi>"), "{denied}");
        assert!(denied.contains("the app may not act for these businesses"), "{denied}");
    }

    #[test]
    fn nothing_is_offered_again_that_was_tried_or_by_those_who_may_not() {
        for (may_send, retriable) in [(true, 0), (false, 12)] {
            let page = page("access_denied", may_send, retriable);
            assert!(!page.contains("<form"), "{page}");
            assert!(page.contains("/requests?q=batch:118%20is:failed%20cause:access_denied"), "{page}");
        }
        assert!(page("access_denied", true, 5).contains("Retry these 5"));
        assert!(page("access_denied", true, 1_000).contains("Retry these 1,000+"));
    }
}
