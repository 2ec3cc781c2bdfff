//! `/businesses`: the list, its search, its filters; before the first sync the steps that lead there.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    LiveList,
    first_run::first_run,
    managers::{self, Colleague, Manager},
    model::SyncState,
    query::{ANY_NOTE, Filter, PATH, Place, Query},
    results::Results,
    search::Search,
    selection::SelectionNotice,
    store::{self, Count, Counts, Found, Listed, Selected},
    sync_line::{SyncButton, sync_line},
};
use crate::{
    db::TenantTx,
    graph::{BusinessId, WabaId},
    sign_in::{Page, Visit},
    telemetry::mishap,
    ui::{AppError, Choice, ErrorNotice, Field, Glyph, Icon, Name, SearchField, SearchForm, Select},
    views::{Place as ViewsOf, views_menu},
};

/// The page.
pub async fn businesses_page(visit: Visit) -> Result<Page, AppError> {
    let (query, complaints) = Query::read(|name| visit.query(name));
    let now = visit.clock.now();
    let mut tx = visit.tenant().await?;
    let sync = store::sync_state(&mut tx).await.map_err(mishap)?;
    let team = team(&mut tx, query.manager).await.map_err(mishap)?;
    let seen = look(&mut tx, query, visit.stalled_before()).await.map_err(mishap)?;
    let selected = if visit.viewer.role.may_onboard() {
        let listed: Vec<BusinessId> = seen.listed.businesses.iter().map(|business| business.id.clone()).collect();
        Some(store::selected(&mut tx, visit.viewer.member_id, &listed).await.map_err(mishap)?)
    } else {
        None
    };
    let views = views_menu(&mut tx, &visit, ViewsOf::Businesses).await.map_err(mishap)?;
    // Nothing was written; what follows may need a transaction of its own.
    drop(tx);
    let near = match seen.search.as_ref().filter(|_| seen.nobody_is_called_so()) {
        Some(search) => store::name_like(visit.tenant().await?, search).await.map_err(mishap)?,
        None => Vec::new(),
    };
    Ok(Page {
        title: "Businesses".to_owned(),
        view: view(&visit, sync, seen, (selected, team, views), near, complaints, now),
    })
}

/// Whose businesses can be listed, and whose are.
struct Team {
    colleagues: Vec<Colleague>,
    /// The one whose businesses are listed, where it is somebody we know.
    chosen: Option<Colleague>,
}

async fn team(tx: &mut TenantTx, manager: Option<Manager>) -> sqlx::Result<Team> {
    let chosen = match manager.and_then(Manager::member) {
        Some(member_id) => managers::colleague(tx, member_id).await?,
        None => None,
    };
    Ok(Team { colleagues: managers::managing(tx).await?, chosen })
}

/// What Postgres says of a view of the list.
struct Sight {
    query: Query,
    search: Option<Search>,
    by_waba: Option<WabaId>,
    /// Only some of the businesses with such a note were looked at.
    more_noted: bool,
    counts: Counts,
    total: Count,
    listed: Listed,
    /// The page asked for isn't one: the first is shown.
    misplaced: bool,
}

impl Sight {
    /// Nobody is called so, as far as nothing else is asked for.
    fn nobody_is_called_so(&self) -> bool {
        self.search.is_some() && !self.query.is_narrowed() && self.counts.of(Filter::All).n == 0
    }
}

async fn look(tx: &mut TenantTx, mut query: Query, stalled_before: OffsetDateTime) -> sqlx::Result<Sight> {
    let search = query.search();
    let found = store::find_asked(tx, &query).await?;
    let counts = match (query.manager, &found) {
        (Some(manager), found) => store::count_managed(tx, manager, found.as_ref(), stalled_before).await?,
        (None, Some(found)) => store::count_found(tx, found, stalled_before).await?,
        (None, None) => store::count_all(tx, stalled_before).await?,
    };
    // Under a search the whole is only told where nothing matches.
    let mut total = counts.of(Filter::All);
    if (search.is_some() || query.is_narrowed()) && total.n == 0 {
        total = store::count_all(tx, stalled_before).await?.of(Filter::All);
    }
    let listed = page_of(tx, &query, found.as_ref(), stalled_before).await?;
    let misplaced = listed.is_none();
    let listed = if let Some(listed) = listed {
        listed
    } else {
        query.place = Place::Start;
        page_of(tx, &query, found.as_ref(), stalled_before).await?.unwrap_or_default()
    };
    let (by_waba, more_noted) = found.map(|found| (found.waba, found.more_noted)).unwrap_or_default();
    Ok(Sight { query, search, by_waba, more_noted, counts, total, listed, misplaced })
}

async fn page_of(
    tx: &mut TenantTx,
    query: &Query,
    found: Option<&Found>,
    stalled_before: OffsetDateTime,
) -> sqlx::Result<Option<Listed>> {
    match query.manager {
        Some(manager) => store::list_managed(tx, query.filter, manager, found, &query.place, stalled_before).await,
        None => store::list(tx, query.filter, found, &query.place, stalled_before).await,
    }
}

fn view(
    visit: &Visit,
    sync: SyncState,
    seen: Sight,
    (selected, team, views): (Option<Selected>, Team, AnyView),
    near: Vec<(BusinessId, String)>,
    mut complaints: Vec<String>,
    now: OffsetDateTime,
) -> AnyView {
    let here = visit.path_and_query();
    let running = sync.running.is_some();
    let nothing_yet = seen.total.n == 0 && sync.synced_at.is_none();
    if seen.misplaced {
        complaints.push("That page of the list does not exist. The first one is shown.".to_owned());
    }
    if seen.more_noted {
        let words = "More than 1,000 businesses have such a note, and only 1,000 of them were looked at. Add words of the note.";
        complaints.push(words.to_owned());
    }
    let query = seen.query.clone();
    // Without script a page that waits for the first rows asks again by itself.
    let again = (running && sync.synced_at.is_none())
        .then(|| view! { <noscript><meta http-equiv="refresh" content="3"/></noscript> });
    let import = (!nothing_yet && selected.is_some()).then(|| {
        view! { <a class="btn" href="/import"><Icon glyph=Glyph::Upload/><span>"Import CSV…"</span></a> }
    });
    let button = (!nothing_yet || running)
        .then(|| view! { <div class="actions keep"><SyncButton word="Sync now"/>{import}</div> });
    let problem = visit.problem().map(|error| view! { <ErrorNotice error=error back=here.clone()/> });
    let (spoken, list) = if nothing_yet {
        (String::new(), first_run(visit.viewer.clone(), running, &here))
    } else {
        let results = Results {
            query: seen.query,
            counts: seen.counts,
            listed: seen.listed,
            total: seen.total,
            near,
            by_waba: seen.by_waba,
            complaints,
            selected,
            notice: visit.query("notice").as_deref().and_then(SelectionNotice::from_code),
            stalled_after: visit.viewer.stalled_after,
            now,
        };
        (results.spoken(), results.view())
    };
    let (toolbar, views) = if nothing_yet { (None, None) } else { (Some(toolbar(&query, team)), Some(views)) };
    view! {
        {again}
        <div class="page-head">
            <div>
                <div class="title"><h1>"Businesses"</h1></div>
                {sync_line(sync, now, &here)}
            </div>
            {button}
        </div>
        {problem}
        <div class="search-bar"><div id="tools">{toolbar}</div><div id="views">{views}</div></div>
        <p class="vh" role="status" id="found">{spoken}</p>
        <div id="live">{list}</div>
        <LiveList/>
    }
    .into_any()
}

fn toolbar(query: &Query, team: Team) -> AnyView {
    let (filter, typed) = (query.filter, query.typed.clone());
    let clear = (!query.typed.is_empty()).then(|| query.searching("").href());
    let status = (filter != Filter::All).then(|| view! { <input type="hidden" name="status" value=filter.key()/> });
    let by_manager = query.manager.map(|manager| manager_token(query, manager, team.chosen));
    let by_note = (!query.note.is_empty()).then(|| note_token(query));
    let others = filters_off(query, team.colleagues);
    view! {
        <SearchForm label="Businesses" action=PATH>
            <SearchField id="q" label="Search businesses" value=typed
                placeholder="Name, business ID or WABA ID" clear=clear/>
            {status}
            {by_manager}
            {by_note}
            {others}
        </SearchForm>
    }
    .into_any()
}

fn manager_token(query: &Query, manager: Manager, chosen: Option<Colleague>) -> AnyView {
    let name = match (manager, chosen) {
        (Manager::Nobody, _) => "Nobody".to_owned(),
        (Manager::Member(_), Some(colleague)) => colleague.name,
        (Manager::Member(_), None) => "Not one of your workspace".to_owned(),
    };
    token(("manager", &manager.to_string()), "Manager", name, query.managed_by(None).href())
}

fn note_token(query: &Query) -> AnyView {
    let words = if query.note == ANY_NOTE { "any".to_owned() } else { query.note.clone() };
    token(("note", &query.note), "Note", words, query.noted("").href())
}

/// A filter that is on, and the way to take it away.
fn token((name, value): (&'static str, &str), what: &'static str, words: String, without: String) -> AnyView {
    let label = format!("Remove filter: {} {words}", what.to_lowercase());
    view! {
        <input type="hidden" name=name value=value.to_owned()/>
        <span class="token">
            <span><b>{what}": "</b><Name name=words/></span>
            <a href=without aria-label=label><Icon glyph=Glyph::X/></a>
        </span>
    }
    .into_any()
}

/// The filters that are off, behind a button; none where all are on.
fn filters_off(query: &Query, colleagues: Vec<Colleague>) -> Option<AnyView> {
    if query.manager.is_some() && !query.note.is_empty() {
        return None;
    }
    let manager = query.manager.is_none().then(|| {
        let anybody = Choice { word: "Anybody".to_owned(), ..Choice::default() };
        let nobody = Choice { value: Manager::NOBODY.to_owned(), word: "Nobody".to_owned(), ..Choice::default() };
        let members = colleagues.into_iter().map(|colleague| Choice {
            value: colleague.member_id.to_string(),
            word: colleague.name,
            ..Choice::default()
        });
        let choices: Vec<Choice> = [anybody, nobody].into_iter().chain(members).collect();
        view! { <Select id="manager" name="manager" label="Manager" choices=choices/> }
    });
    let note = query.note.is_empty().then(|| {
        view! { <Field id="note" name="note" label="Note contains" hint="* finds every business with a note."/> }
    });
    let filters = view! {
        <details class="filter">
            <summary class="btn"><Icon glyph=Glyph::Filter/>"Filter"</summary>
            <div class="menu">
                {manager}
                {note}
                <button class="btn btn-primary" type="submit">"Apply"</button>
            </div>
        </details>
    };
    Some(filters.into_any())
}
