//! The HTML shell and the one table of routes: which path is which room's page.
//!
//! A room's page is an async function from a [`Visit`] to a [`Page`]. What all of them share is here: strangers are sent to
//! sign in and back, errors become pages with their status, and the frame is put round the rest. Pages are whole before the
//! first byte leaves, so that they read the same without JavaScript.

use axum::http::{HeaderValue, StatusCode, header, request::Parts};
use leptos::{hydration::HydrationScripts, nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{Route, Router, Routes},
    path,
};

use crate::{
    assets::Assets,
    businesses::{HeadCount, assign_page, businesses_page, head_count},
    clock::Clock,
    insights::insights_page,
    onboarding::{
        at_work, batch_page, batches_page, business_page, cancel_page, confirm_page, import_page, request_page,
        requests_page, rows_page,
    },
    palette::palette,
    sign_in::{Page, Viewer, Visit, are_keys_on, choice_page, sign_in_page, theme_of, way_to_sign_in, zone_of},
    support::{call_page, cause_page, causes_page, support_page},
    team::{audit_page, member_page, settings_page},
    telemetry::mishap,
    ui::{Account, AppError, ErrorPage, Glyph, Layout, NavItem, NavNote, Notice, NoticeKind, PartnerChoice, grouped},
    views::views_page,
    webhooks::{change_page, webhooks_page},
};

/// What brings a page to life waits until the browser is idle, and has no bound of its own: on a busy machine, a page with something that
/// moves might stay dead. It's given one.
const COMES_TO_LIFE: &str = "{const idle=self.requestIdleCallback;\
    if(idle)self.requestIdleCallback=(then,options)=>idle.call(self,then,{timeout:300,...options})}";

/// The document round every page.
pub fn shell(options: LeptosOptions, assets: &Assets) -> impl IntoView + use<> {
    let theme = use_context::<Parts>().map(|parts| theme_of(&parts.headers)).unwrap_or_default();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme.attribute()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="stylesheet" href=assets.url("liteboard.css")/>
                <script nonce=use_nonce() inner_html=COMES_TO_LIFE></script>
                <HydrationScripts options islands=true root="/assets"/>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// The table of routes.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    if let Some(zone) = use_context::<Parts>().and_then(|parts| zone_of(&parts.headers)) {
        provide_context(zone);
    }
    view! {
        <Router>
            <Routes fallback=|| refused(AppError::NotFound)>
                <Route path=path!("/") view=|| bare(std::future::ready(home())) ssr=SsrMode::Async/>
                <Route path=path!("/sign-in") view=|| bare(sign_in_page()) ssr=SsrMode::Async/>
                <Route path=path!("/sign-in/partner") view=|| bare(choice_page()) ssr=SsrMode::Async/>
                <Route path=path!("/businesses") view=|| framed(businesses_page) ssr=SsrMode::Async/>
                <Route path=path!("/businesses/:business_id") view=|| framed(business_page) ssr=SsrMode::Async/>
                <Route path=path!("/requests") view=|| framed(requests_page) ssr=SsrMode::Async/>
                <Route path=path!("/requests/:number") view=|| framed(request_page) ssr=SsrMode::Async/>
                <Route path=path!("/batches") view=|| framed(batches_page) ssr=SsrMode::Async/>
                <Route path=path!("/batches/:number") view=|| framed(batch_page) ssr=SsrMode::Async/>
                <Route path=path!("/batches/:number/cancel") view=|| framed(cancel_page) ssr=SsrMode::Async/>
                <Route path=path!("/assign") view=|| framed(assign_page) ssr=SsrMode::Async/>
                <Route path=path!("/import") view=|| framed(import_page) ssr=SsrMode::Async/>
                <Route path=path!("/drafts/:number") view=|| framed(confirm_page) ssr=SsrMode::Async/>
                <Route path=path!("/drafts/:number/rows") view=|| framed(rows_page) ssr=SsrMode::Async/>
                <Route path=path!("/support") view=|| framed(support_page) ssr=SsrMode::Async/>
                <Route path=path!("/support/causes") view=|| framed(causes_page) ssr=SsrMode::Async/>
                <Route path=path!("/support/causes/:cause") view=|| framed(cause_page) ssr=SsrMode::Async/>
                <Route path=path!("/support/calls/:call") view=|| framed(call_page) ssr=SsrMode::Async/>
                <Route path=path!("/views") view=|| framed(views_page) ssr=SsrMode::Async/>
                <Route path=path!("/insights") view=|| framed(insights_page) ssr=SsrMode::Async/>
                <Route path=path!("/settings") view=|| framed(settings_page) ssr=SsrMode::Async/>
                <Route path=path!("/settings/members/:member") view=|| framed(member_page) ssr=SsrMode::Async/>
                <Route path=path!("/settings/audit") view=|| framed(audit_page) ssr=SsrMode::Async/>
                <Route path=path!("/settings/webhooks") view=|| framed(webhooks_page) ssr=SsrMode::Async/>
                <Route path=path!("/settings/webhooks/:change") view=|| framed(change_page) ssr=SsrMode::Async/>
            </Routes>
        </Router>
    }
}

/// `/`: members to their businesses, strangers to the door.
fn home() -> Result<Page, AppError> {
    Visit::from_context()?;
    lead("/businesses");
    Ok(Page { title: "Liteboard".into(), view: ().into_any() })
}

/// A page that stands alone: no navigation, open to strangers.
fn bare(page: impl Future<Output = Result<Page, AppError>> + Send + 'static) -> impl IntoView {
    view! { <Suspense>{Suspend::new(async move { page.await.map_or_else(refused, titled) })}</Suspense> }
}

/// A room's page in the frame, for members only.
fn framed<F>(page: fn(Visit) -> F) -> impl IntoView
where
    F: Future<Output = Result<Page, AppError>> + Send + 'static,
{
    let shown = async move {
        let visit = Visit::from_context()?;
        let (account, here) = (account_of(&visit.viewer), visit.path_and_query());
        let above = palette(&visit.viewer, account.keys);
        let asks = visit.clone();
        let page = page(visit).await?;
        let Frame { limit, nav } = frame_of(&asks).await;
        let again = asks.is_filled_in_again().then(filled_in_again);
        Ok(Page {
            title: page.title,
            view: view! { <Layout account nav here limit above>{again}{page.view}</Layout> }.into_any(),
        })
    };
    bare(shown)
}

/// Said where a form didn't go through before.
fn filled_in_again() -> AnyView {
    view! {
        <Notice kind=NoticeKind::Info title="What you entered is in the form again">
            <p>"Nothing of it was saved or sent yet. Look it over and send it again."</p>
        </Notice>
    }
    .into_any()
}

/// What the frame says of the partner's affairs.
struct Frame {
    limit: Option<u8>,
    nav: Vec<NavItem>,
}

/// Looked up after the page, so that it knows what the page brought about. A page is shown without it rather than not at all.
async fn frame_of(visit: &Visit) -> Frame {
    let looked = async {
        let mut tx = visit.tenant().await?;
        let at_work = at_work(&mut tx, visit.clock.now()).await.map_err(mishap)?;
        let head_count = head_count(&mut tx).await.map_err(mishap)?;
        Ok::<_, AppError>((at_work, head_count))
    };
    let Ok((at_work, businesses)) = looked.await else {
        return Frame { limit: None, nav: places([None, None, None]) };
    };
    let HeadCount { all, failed } = businesses;
    let note = |n: u64, text: String, spoken, hot| (n > 0).then_some(NavNote { text, spoken, hot });
    let notes = [
        note(all, grouped(all), "", false),
        note(failed, grouped(failed), "failed", true),
        note(at_work.running, format!("{} running", grouped(at_work.running)), "", false),
    ];
    Frame { limit: at_work.limit, nav: places(notes) }
}

fn titled(page: Page) -> AnyView {
    view! { <Title text=format!("{} · Liteboard", title_text(&page.title))/>{page.view} }.into_any()
}

/// `leptos_meta` 0.8.7 writes a title as it is: a name could end the element and go on as markup.
fn title_text(title: &str) -> String {
    title.replace('&', "&amp;").replace('<', "&lt;")
}

/// What takes the place of a page that can't be shown.
fn refused(error: AppError) -> AnyView {
    let here = use_context::<Parts>()
        .and_then(|parts| parts.uri.path_and_query().map(|path| path.as_str().to_owned()))
        .unwrap_or_else(|| "/".to_owned());
    if error == AppError::NotSignedIn {
        lead(&way_to_sign_in());
        return ().into_any();
    }
    if let (Some(answer), Ok(status)) = (use_context::<ResponseOptions>(), StatusCode::from_u16(error.status())) {
        answer.set_status(status);
    }
    let at = expect_context::<Clock>().now();
    view! { <Title text=format!("{} · Liteboard", error.title())/><ErrorPage error at retry=here/> }.into_any()
}

/// Leads whoever asks to another page of ours.
fn lead(path: &str) {
    if let (Some(answer), Ok(path)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(path)) {
        answer.set_status(StatusCode::SEE_OTHER);
        answer.insert_header(header::LOCATION, path);
    }
}

fn account_of(viewer: &Viewer) -> Account {
    let parts = use_context::<Parts>();
    let theme = parts.as_ref().map(|parts| theme_of(&parts.headers)).unwrap_or_default();
    let keys = parts.as_ref().is_none_or(|parts| are_keys_on(&parts.headers));
    Account {
        name: viewer.name.clone(),
        role: viewer.role.word().to_owned(),
        partner: PartnerChoice { id: viewer.partner.to_string(), name: viewer.partner_name.clone() },
        others: viewer
            .other_partners
            .iter()
            .map(|(id, name)| PartnerChoice { id: id.to_string(), name: name.clone() })
            .collect(),
        theme,
        keys,
    }
}

/// The places of the navigation; the first of them have notes.
fn places(notes: [Option<NavNote>; 3]) -> Vec<NavItem> {
    [
        ("/businesses", Glyph::Business, "Businesses"),
        ("/requests", Glyph::Send, "Requests"),
        ("/batches", Glyph::Layers, "Batches"),
        ("/support", Glyph::LookUp, "Look up"),
        ("/insights", Glyph::Chart, "Insights"),
        ("/settings", Glyph::Settings, "Settings"),
    ]
    .into_iter()
    .zip(notes.into_iter().chain(std::iter::repeat(None)))
    .map(|((href, glyph, word), note)| NavItem { href, glyph, word, note, aside: href == "/settings" })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::title_text;

    #[test]
    fn no_name_ends_the_title() {
        assert_eq!(title_text("</title><script>x</script> & Co"), "&lt;/title>&lt;script>x&lt;/script> &amp; Co");
    }
}
