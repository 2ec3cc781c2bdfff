//! `/drafts/:number`: who will get a request and who won't, and the button that sends them.

use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use super::{
    super::{
        consent::UNTYPED,
        groups::{Counts, Group},
        model::{Draft, Finding, Source},
        store,
    },
    Found, batch_instead, find, problem_notice, rows_url, steps,
};
use crate::{
    sign_in::{Page, Visit},
    solutions::{self, Solution, SolutionSelect},
    telemetry::mishap,
    ui::{AppError, Breadcrumbs, Field, Glyph, Icon, PageHead, grouped, plural},
};

/// What a member reads in place of buttons they may not press.
const MAY_NOT_SEND: &str =
    "Your role may look, and sends nothing. Ask an admin of your workspace to send it, or to change your role.";

/// The page.
///
/// # Errors
/// [`AppError::NotFound`]; when Postgres is away.
pub async fn confirm_page(visit: Visit) -> Result<Page, AppError> {
    let answer = use_context::<ResponseOptions>();
    let Found { mut tx, draft, .. } = find(&visit).await?;
    if draft.is_started {
        return Ok(batch_instead(answer.as_ref(), &draft));
    }
    let counts = store::count_rows(&mut tx, draft.number).await.map_err(mishap)?;
    let offered = solutions::offered(&mut tx).await.map_err(mishap)?;
    let may_onboard = visit.viewer.role.may_onboard();
    let has_fields = may_onboard && counts.of(Group::ToSend) > 0;
    let unsent = |field| has_fields.then(|| visit.unsent("/onboarding/start", field)).flatten();
    let form = Form {
        draft: &draft,
        counts: &counts,
        offered,
        name: visit.query("name").or_else(|| unsent("name")).unwrap_or_default(),
        chosen: visit.query("solution").or_else(|| unsent("solution_id")),
        may_onboard,
    };
    let title = form.title();
    let here = format!("/drafts/{}", draft.number);
    let mut above = vec![("Businesses", "/businesses".to_owned())];
    if draft.source == Source::List {
        above.push(("Import CSV", "/import".to_owned()));
        above.push(("Check", format!("{here}/rows")));
    }
    let steps = steps(draft.source, 2);
    let view = view! {
        <Breadcrumbs above=above here="Confirm"/>
        <PageHead title=title.clone() actions=steps.unwrap_or_else(|| ().into_any())>
            <span>"Nothing has been sent yet"</span>
        </PageHead>
        {problem_notice(&visit)}
        {form.view()}
    };
    Ok(Page { title: title.trim_end_matches('?').to_owned(), view: view.into_any() })
}

/// What the page is made of.
pub(super) struct Form<'a> {
    pub draft: &'a Draft,
    pub counts: &'a Counts,
    pub offered: Vec<Solution>,
    /// What was filled in before, where the form is shown again.
    pub name: String,
    pub chosen: Option<String>,
    pub may_onboard: bool,
}

impl Form<'_> {
    /// A selection is spoken of as a whole; a list holds rows that are no business at all.
    pub(super) fn title(&self) -> String {
        let all = self.counts.of(if self.draft.source == Source::Selection { Group::All } else { Group::ToSend });
        format!("Onboard {} to MM Lite?", plural(all, "business", "businesses"))
    }

    pub(super) fn view(self) -> AnyView {
        let to_send = self.counts.of(Group::ToSend);
        let tally = tally(self.draft, self.counts);
        let what = if to_send == 0 {
            view! { <p>"None of these businesses can be asked now. Each number leads to its list, which says why."</p> }
                .into_any()
        } else {
            let businesses = plural(to_send, "business", "businesses");
            view! {
                <p id="what">
                    "Meta will e-mail "<b>"all admins of "{businesses}</b>
                    ", and keep reminding them until someone with full control accepts or declines. An e-mail cannot be called back. \
                     Each business is checked again just before its turn, and you can pause at any time."
                </p>
            }
            .into_any()
        };
        if !self.may_onboard {
            return view! {
                <section class="panel confirm" aria-label="What will be sent">
                    <div class="panel-body stack">{what}{tally}<p class="hint">{MAY_NOT_SEND}</p></div>
                </section>
            }
            .into_any();
        }
        let number = self.draft.number.to_string();
        let back = match self.draft.source {
            Source::Selection => view! { <a class="btn" href="/businesses">"Keep selecting"</a> }.into_any(),
            Source::List => {
                let rows = format!("/drafts/{number}/rows");
                view! { <a class="btn" href=rows>"Back to the rows"</a> }.into_any()
            }
        };
        let fields = (to_send > 0).then(|| self.fields(to_send));
        let send = (to_send > 0).then(|| {
            let word = format!("Send {}", plural(to_send, "request", "requests"));
            view! { <button class="btn btn-primary" type="submit" aria-describedby="what">{word}</button> }
        });
        view! {
            <section class="panel confirm" aria-label="What will be sent">
                <form method="post" action="/onboarding/start">
                    <input type="hidden" name="number" value=number.clone()/>
                    <input type="hidden" name="shown" value=to_send.to_string()/>
                    <div class="panel-body stack">{what}{tally}{fields}</div>
                    <div class="panel-foot">
                        <button class="btn btn-quiet discard" type="submit" form="discard">"Throw this draft away"</button>
                        {back}
                        {send}
                    </div>
                </form>
                <form id="discard" method="post" action="/onboarding/discard">
                    <input type="hidden" name="number" value=number/>
                </form>
            </section>
        }
        .into_any()
    }

    fn fields(self, to_send: u64) -> AnyView {
        let typed = (to_send > UNTYPED).then(|| {
            let label = format!("Type {to_send} to confirm");
            view! {
                <div class="field narrow">
                    <label for="confirm">{label}</label>
                    <input class="input" id="confirm" name="confirm" type="text" inputmode="numeric" autocomplete="off" required/>
                </div>
            }
        });
        view! {
            <div class="two">
                <Field id="name" name="name" label="Batch name" value=self.name hint="Optional. It helps to find the batch later."/>
                <SolutionSelect offered=self.offered chosen=self.chosen/>
            </div>
            {typed}
        }
        .into_any()
    }
}

/// Who gets it and who doesn't, each count with the way to its list.
fn tally(draft: &Draft, counts: &Counts) -> AnyView {
    const SKIPPED: [(Group, Finding, &str); 11] = [
        (Group::AlreadyRequested, Finding::AlreadyRequested, "skipped: already requested"),
        (Group::NotEligible, Finding::NotEligible, "skipped: no eligible WABA"),
        (Group::Accepted, Finding::Accepted, "skipped: terms signed already"),
        (Group::Ready, Finding::Ready, "skipped: ready already"),
        (Group::Taken, Finding::Taken, "skipped: taken by another partner"),
        (Group::Left, Finding::Left, "skipped: shares no WABA with you any more"),
        (Group::Duplicate, Finding::Duplicate, "skipped: named by an earlier row"),
        (Group::Unknown, Finding::Unknown, "skipped: unknown ID"),
        (Group::Unreadable, Finding::NotDigits, "skipped: unreadable"),
        (Group::Solution, Finding::SolutionGone, "skipped: its solution can not be used"),
        (Group::LeftOut, Finding::Eligible, "skipped: left out by you"),
    ];
    let line = |group: Group, glyph: Glyph, class: &'static str, words: &'static str| {
        let rows = counts.of(group);
        (rows > 0).then(|| {
            view! {
                <li>
                    <a href=rows_url(draft.number, group)>
                        <b class="num">{grouped(rows)}</b>" "<span class=class><Icon glyph=glyph/>{words}</span>
                    </a>
                </li>
            }
        })
    };
    let sent = [
        line(Group::ToSend, Glyph::Eligible, "state h-blue", "will get the request"),
        line(
            Group::Unsaid,
            Glyph::Unknown,
            "state h-grey",
            "of these: Meta did not say if it can be onboarded, and decides",
        ),
        line(Group::WabaId, Glyph::Alert, "state h-amber", "named by a WABA ID: sent to its business, unless left out"),
    ];
    let skipped = SKIPPED.map(|(group, finding, words)| {
        let glyph = if group == Group::LeftOut { Glyph::X } else { finding.look().0 };
        line(group, glyph, "state h-grey strike", words)
    });
    view! { <ul class="tally">{sent.into_iter().collect_view()}{skipped.into_iter().collect_view()}</ul> }.into_any()
}
