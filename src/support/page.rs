//! The page 'Look up': one box, one answer. Every role may look.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    answer::{business_answer, nothing_known, several_answers},
    call::call_answer,
    find::{Found, find, find_call},
    lookup::{self, Reading, Typed},
};
use crate::{
    onboarding::RequestNumber,
    sign_in::{Page, Viewer, Visit},
    telemetry::mishap,
    ui::{AppError, Glyph, Icon, PageHead, SearchField, SearchForm},
};

/// `/support`: the box; with `q`, also what is known about it; with `call`, the call of that number of ours.
///
/// A look-up that means exactly one request leads on to the request's page.
///
/// # Errors
/// [`AppError::NotFound`] for a `call` that isn't there or is another partner's; Postgres being away.
pub async fn support_page(visit: Visit) -> Result<Page, AppError> {
    let text = visit.query("q").unwrap_or_default();
    let (viewer, now) = (&visit.viewer, visit.clock.now());
    let answer = if let Some(call) = visit.query("call") {
        let call_id = call.parse().map_err(|_| AppError::NotFound)?;
        let mut tx = visit.tenant().await?;
        let story = find_call(&mut tx, call_id).await.map_err(mishap)?.ok_or(AppError::NotFound)?;
        let shown = call_answer(&story, viewer, now);
        view! { {read_as_line("One call to Meta", None)}{shown} }.into_any()
    } else {
        let typed = lookup::read(&text);
        if text.trim().is_empty() {
            start()
        } else {
            let mut tx = visit.tenant().await?;
            let found = find(&mut tx, &typed).await.map_err(mishap)?;
            if let Found::Request(number) = found {
                leptos_axum::redirect(&request_path(number));
            }
            answer(&text, &typed, found, viewer, now)
        }
    };
    Ok(Page { title: "Look up".to_owned(), view: view! { {head(&text)}{answer} }.into_any() })
}

/// Where a request has its page.
pub(super) fn request_path(number: RequestNumber) -> String {
    format!("/requests/{number}")
}

fn head(text: &str) -> AnyView {
    // A NUL can't stand in HTML.
    let value = text.replace('\0', "\u{fffd}");
    let clear = (!text.is_empty()).then(|| "/support".to_owned());
    view! {
        <PageHead title="Look up"/>
        <SearchForm label="Support" action="/support" large=true>
            <SearchField
                id="look-up"
                label="Look up"
                value=value
                placeholder="fbtrace_id, request ID, business ID, WABA ID, or a pasted Graph error"
                clear=clear
                large=true
            />
            <button class="btn btn-primary btn-lg" type="submit">"Look up"</button>
        </SearchForm>
    }
    .into_any()
}

/// The answer to what was typed, below the line that says how it was read.
fn answer(text: &str, typed: &Typed, found: Found, viewer: &Viewer, now: OffsetDateTime) -> AnyView {
    let read_as = read_as(typed, &found);
    let shown = match found {
        Found::Nothing => nothing_known(text, typed),
        // For programs, which aren't led on by themselves.
        Found::Request(number) => {
            view! { <p><a class="link" href=request_path(number)>{number.to_string()}</a></p> }.into_any()
        }
        Found::Business(known, calls) => business_answer(&known, calls, now),
        Found::Call(story) => call_answer(&story, viewer, now),
        Found::Several(hits) => several_answers(hits, now),
    };
    view! { {read_as}{shown} }.into_any()
}

fn read_as(typed: &Typed, found: &Found) -> Option<AnyView> {
    let (words, id) = match (found, typed.readings.first()?) {
        (Found::Nothing | Found::Request(_), _) => return None,
        (Found::Call(_), Reading::Trace(id)) if typed.is_answer => {
            ("Read as a Graph error. Found by its fbtrace_id", Some(id.clone()))
        }
        (Found::Call(story), Reading::Trace(id)) => {
            let by_trace = story.call.fbtrace_id.as_ref() == Some(id);
            (if by_trace { "Found by its fbtrace_id" } else { "Found by its x-fb-request-id" }, None)
        }
        (Found::Call(_), _) => ("Found by the ID that was called", None),
        (Found::Business(known, _), _) => {
            (if known.by_waba.is_some() { "Read as a WABA ID" } else { "Read as a business ID" }, None)
        }
        (Found::Several(_), _) if typed.readings.len() > 1 => ("Several IDs stand in this text", None),
        (Found::Several(_), _) => ("Several things have this ID", None),
    };
    Some(read_as_line(words, id))
}

fn read_as_line(words: &'static str, id: Option<String>) -> AnyView {
    let id = id.map(|id| view! { <span class="mono">{id}</span> });
    view! { <p class="read-as"><Icon glyph=Glyph::Check/><span>{words}" "</span>{id}</p> }.into_any()
}

fn start() -> AnyView {
    let kinds = [
        ("fbtrace_id", true, "AXsgnV2Cm3ZMGF3dF_cfYIn", "Meta’s name for one call. Case matters."),
        ("Request ID", false, "738201946655120", "Given by Meta, or ours: LB-1001"),
        ("Business ID", false, "2210758843906172", "The client’s portfolio in Meta"),
        ("WABA ID", false, "980198427651188", "We find the business it belongs to"),
        ("Graph error", true, "{\"error\":{\"message\":…", "The whole JSON, as it came"),
    ];
    let kinds = kinds
        .into_iter()
        .map(|(kind, is_code, example, meaning)| {
            let example = if is_code {
                view! { <code>{example}</code> }.into_any()
            } else {
                view! { <span class="num-l">{example}</span> }.into_any()
            };
            view! { <div><dt>{kind}</dt><dd>{example}<span class="muted">{meaning}</span></dd></div> }
        })
        .collect_view();
    view! {
        <div class="look-start">
            <section aria-labelledby="look-up-kinds">
                <h2 id="look-up-kinds">"Paste any of these"</h2>
                <dl class="kinds">{kinds}</dl>
            </section>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        db::Db,
        support::{
            fixture::{NOW, TRACE, partner, refused_call, seed, viewer},
            store,
        },
    };
    use sqlx::PgPool;

    const BUSINESS: &str = "2210758843906172";

    /// What a browser would get for `text`, without the framework's markers.
    async fn html(db: &Db, text: &str) -> String {
        let viewer = viewer("11");
        let typed = lookup::read(text);
        let mut tx = db.tenant(&viewer.partner).await.unwrap();
        let found = find(&mut tx, &typed).await.unwrap();
        Owner::new().with(|| {
            let answer = answer(text, &typed, found, &viewer, NOW);
            view! { {head(text)}{answer} }.into_any().to_html().replace("<!>", "")
        })
    }

    async fn house(pool: PgPool) -> (Db, i64) {
        let number = seed(&pool, "11", BUSINESS, "980198427651188").await;
        let db = Db::from_pool(pool);
        let mut call = refused_call("11", BUSINESS, TRACE);
        call.origin.request = Some(number);
        store::insert(&db, Some(&partner("11")), &[&call]).await.unwrap();
        (db, number)
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_trace_id_shows_what_happened_the_facts_and_the_request(pool: PgPool) {
        let (db, number) = house(pool).await;
        let html = html(&db, &format!("{{\"error\":{{\"fbtrace_id\":\"{TRACE}\"}}}}")).await;
        let request = format!("href=\"/requests/LB-{number}\"");
        let business = format!("href=\"/businesses/{BUSINESS}\"");
        let facts = [
            "Read as a Graph error",
            "HTTP 403",
            "200 / 1349174",
            "Permission Denied",
            "is_transient: false",
            "Probably",
            "0.34 s",
            "Raw answer",
            "What to tell the client",
            "Copy for Meta Direct Support",
            &request,
            &business,
        ];
        for fact in facts {
            assert!(html.contains(fact), "{fact} is not in {html}");
        }
        assert!(!html.contains("<b>No</b>") && !html.contains("<i>Leaf</i>"), "{html}");
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_business_or_its_waba_shows_where_it_stands_and_its_calls(pool: PgPool) {
        let (db, _) = house(pool).await;
        for (text, read_as) in [(BUSINESS, "Read as a business ID"), ("980198427651188", "Read as a WABA ID")] {
            let html = html(&db, text).await;
            for fact in [read_as, "Failed", "3 WABAs", "/support?call=", "Meta refused to onboard"] {
                assert!(html.contains(fact), "{fact} is not in {html}");
            }
        }
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn what_nobody_knows_says_so_and_where_we_looked(pool: PgPool) {
        let db = Db::from_pool(pool);
        let page = html(&db, "Azzz").await;
        assert!(page.contains("Nothing known about Azzz"), "{page}");
        assert!(page.contains("older than 400 days. Case matters in an fbtrace_id."), "{page}");
        assert!(page.contains("We looked among"), "{page}");
        let page = html(&db, "<script>alert(1)</script>").await;
        assert!(page.contains("does not look like an ID") && !page.contains("<script>"), "{page}");
        let page = html(&db, "{\"error\":{\"code\":1}}").await;
        assert!(page.contains("names no fbtrace_id"), "{page}");
        let page = html(&db, &format!("\0{}", "ا".repeat(10_000))).await;
        assert!(page.contains("Nothing known about") && !page.contains('\0'));
    }

    #[test]
    fn the_box_is_named_and_works_without_script() {
        let html = Owner::new().with(|| view! { {head("")}{start()} }.into_any().to_html());
        for part in
            ["method=\"get\"", "action=\"/support\"", "type=\"search\"", "name=\"q\"", ">Look up</label>", "LB-1001"]
        {
            assert!(html.contains(part), "{part} is not in {html}");
        }
    }
}
