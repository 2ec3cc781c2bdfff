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
    terms::{self, Terms},
};
use crate::{
    db::TenantTx,
    onboarding::page::problem_notice,
    sign_in::{Page, Visit},
    telemetry::mishap,
    ui::{AppError, Empty, Glyph, Icon, PageHead},
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
    pub async fn read(tx: &mut TenantTx, text: String, member: i64, now: OffsetDateTime) -> sqlx::Result<Self> {
        let mut terms = terms::read(&text);
        let asked = Asked::read(&mut terms, now);
        let mut problems = Vec::new();
        let filter = Filter::resolve(tx, asked, member, now, &mut problems).await?;
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
    let search = Search::read(&mut tx, text, visit.viewer.member_id, now).await.map_err(mishap)?;
    let (before, after) = (visit.query("before"), visit.query("after"));
    let counts = if search.terms.terms.iter().all(bar::is_of_chips) && !search.filter.asked.calls {
        store::state_counts(&mut tx, bar::MOST_COUNTED + 1, now).await.map_err(mishap)?
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
        <div class="search-bar">{bar::form(&search, recent)}{menu}</div>
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

/// Nothing fits.
fn empty(search: &Search, what: &str) -> AnyView {
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
