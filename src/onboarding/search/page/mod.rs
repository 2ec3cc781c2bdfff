//! `/requests`: the bar, what of it is applied, the chips, and the list of requests or of calls.

mod bar;
mod calls;
mod requests;

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    Suggestions, address,
    asked::Asked,
    store::{self, Filter},
    terms::{self, Problem, Terms},
};
use crate::{
    db::TenantTx,
    onboarding::page::problem_notice,
    sign_in::{Page, Visit},
    telemetry::mishap,
    ui::{AppError, Empty, Glyph, Icon, PageHead, TimeStyle, Timestamp},
    views::{Place, views_menu},
};

/// Rows of a page.
pub const ROWS: i64 = 50;

/// A search, read as far as it can be.
pub struct Search {
    /// As typed.
    pub text: String,
    /// What is applied, and what is not.
    pub terms: Terms,
    pub filter: Filter,
}

impl Search {
    /// What a text asks for.
    pub async fn read(tx: &mut TenantTx, text: String, visit: &Visit) -> sqlx::Result<Self> {
        let mut terms = terms::read(&text);
        let asked = Asked::read(&mut terms, visit.clock.now());
        let mut problems = Vec::new();
        let filter = Filter::resolve(tx, asked, visit.viewer.member_id, visit.stalled_before(), &mut problems).await?;
        terms.problems.extend(problems);
        Ok(Self { text, terms, filter })
    }
}

/// `/requests`.
///
/// # Errors
/// When Postgres is away.
pub async fn requests_page(visit: Visit) -> Result<Page, AppError> {
    let now = visit.clock.now();
    let mut tx = visit.tenant().await?;
    let text = address::text(|name| visit.query(name));
    let mut search = Search::read(&mut tx, text, &visit).await.map_err(mishap)?;
    if visit.query("problem").as_deref() == Some("too_long") && !search.terms.problems.contains(&Problem::TooLong) {
        search.terms.problems.push(Problem::TooLong);
    }
    let (before, after) = (visit.query("before"), visit.query("after"));
    let counts = if search.terms.terms.iter().all(bar::is_of_chips) && !search.filter.asked.calls {
        store::state_counts(&mut tx, bar::MOST_COUNTED + 1, visit.stalled_before()).await.map_err(mishap)?
    } else {
        Vec::new()
    };
    let list = if search.filter.asked.calls {
        calls::list(&mut tx, &search, address::call(before.as_deref()), now).await.map_err(mishap)?
    } else {
        let window = address::window(before.as_deref(), after.as_deref());
        requests::list(&mut tx, &search, window, visit.viewer.stalled_after, now).await.map_err(mishap)?
    };
    let menu = views_menu(&mut tx, &visit, Place::Requests).await.map_err(mishap)?;
    let title = if search.filter.asked.calls { "Calls to Meta" } else { "Requests" };
    let recent = format!("requests-{}-{}", visit.viewer.partner, visit.viewer.member_id);
    let view = view! {
        <PageHead title=title actions=export(&search) keep=true><span>"Newest first"</span></PageHead>
        {problem_notice(&visit)}
        <div class="search-bar">{bar::form(&search, visit.unsent(address::PATH, "q"), recent)}{menu}</div>
        {bar::problems(&search)}
        {bar::applied(&search)}
        {bar::chips(&search, &counts)}
        {list}
        {bar::every_filter()}
        <Suggestions/>
    };
    Ok(Page { title: title.to_owned(), view: view.into_any() })
}

/// What is shown, as files. A search that can't be read whole has none: it would hold more than what was asked for.
fn export(search: &Search) -> AnyView {
    if !search.terms.problems.is_empty() {
        return ().into_any();
    }
    let href = |path| address::at(path, &search.text, None);
    view! {
        <a class="btn" href=href("/requests/export.csv") download=true><Icon glyph=Glyph::Download/><span>"Export CSV"</span></a>
        <a class="btn" href=href("/requests/export.json") download=true><Icon glyph=Glyph::File/><span>"Export JSON"</span></a>
    }
    .into_any()
}

/// The way on where a page ended before it was full.
const GO_ON: &str = "Go on looking";

/// How far a page looked that ended before it was full.
fn looked_back(to: OffsetDateTime, now: OffsetDateTime) -> AnyView {
    view! { "Looked back to "<Timestamp at=to now=now style=TimeStyle::Day/> }.into_any()
}

/// Nothing fits; or nothing so far, with how far was looked, and where it goes on.
fn empty(search: &Search, what: &str, so_far: Option<(AnyView, String)>) -> AnyView {
    if let Some((looked, on)) = so_far {
        let actions = view! { <a class="btn btn-primary" href=on rel="next">{GO_ON}</a><a class="btn" href=address::PATH>"Clear filters"</a> };
        return view! {
            <Empty title=format!("No {what} found so far") actions=actions.into_any()>
                <p>{looked}". Few or none fit every filter above, so one page does not reach further."</p>
            </Empty>
        }
        .into_any();
    }
    let id = !search.filter.asked.ids.is_empty();
    let look_up = (id || !search.filter.asked.trace.is_empty()).then(|| {
        view! { <a class="btn btn-quiet" href=address::at("/support", &search.text, None)>"Look it up everywhere"</a> }
    });
    let actions = view! { <a class="btn" href=address::PATH>"Clear filters"</a>{look_up} };
    view! {
        <Empty title=format!("No {what} matches") actions=actions.into_any()>
            <p>"Every filter above has to hold. Take one away to see more."</p>
        </Empty>
    }
    .into_any()
}

fn none() -> AnyView {
    view! { <span class="none" aria-hidden="true">"–"</span><span class="vh">"None"</span> }.into_any()
}
