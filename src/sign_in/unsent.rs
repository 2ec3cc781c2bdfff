//! Forms that didn't go through, because a session had ended, or something in them can't be used, or is away: what was filled in is kept
//! with the member who did it, and stands in the form again when they are back on its page.
//!
//! Only the fields named here are kept, so that no token is; only of a session that a person had, so that strangers can store nothing; and
//! at most one form for each member. It is shown in the browser alone that sent it: who holds a session of the member in another can put
//! nothing into their forms.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Multipart, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{
    HeaderName, Method, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
    request::Parts,
};
use time::Duration;
use tower_sessions::{Session, session::Id};
use url::form_urlencoded;

use super::{SignIn, finish::came_from, gate::Asker, session::WAS, session_store::hash, store, visit::Viewer};
use crate::{db::PartnerId, graph, telemetry::mishap};

/// The longest form that is kept, in bytes as it was sent: some 3,000 ids, or a note many times over.
const LONGEST: usize = 64 * 1024;

/// What wasn't sent is worth nothing after this.
pub(super) const KEPT_FOR: Duration = Duration::hours(24);

/// A form in which people type or choose.
struct Form {
    /// Where it's sent.
    door: &'static str,
    /// How the paths of the pages begin that have it.
    on: &'static str,
    /// What is kept of it.
    fields: &'static [&'static str],
}

const FORMS: [Form; 10] = [
    Form { door: "/businesses/add_note", on: "/businesses/", fields: &["words"] },
    Form { door: "/onboarding/onboard", on: "/businesses/", fields: &["solution_id"] },
    Form { door: "/onboarding/start", on: "/drafts/", fields: &["name", "solution_id"] },
    Form { door: "/onboarding/correct", on: "/drafts/", fields: &["shown[]", "keep[]", "line[]", "id[]"] },
    Form { door: "/import", on: "/import", fields: &["ids"] },
    Form {
        door: "/settings/save",
        on: "/settings",
        fields: &["kind", "stalled_days", "raw_body_days", "probe", "seen"],
    },
    Form { door: "/views/save", on: "/", fields: &["name", "shared"] },
    Form { door: "/views/change", on: "/views", fields: &["view", "name", "shared"] },
    Form { door: "/support", on: "/support", fields: &["q"] },
    Form { door: "/requests", on: "/requests", fields: &["q"] },
];

/// Stands in the answer of a door that did nothing, and tells the middleware so: it goes no further.
pub(super) const NOT_DONE: HeaderName = HeaderName::from_static("liteboard-not-done");

/// What was filled into a form that didn't go through; a request's extension, where the page asked for is that form's.
#[derive(Clone, Debug, Default)]
pub(super) struct Unsent {
    /// The path the form was sent to.
    pub(super) door: String,
    /// Name and value, in the order of the form.
    pub(super) fields: Vec<(String, String)>,
    /// The page has put some of it into its form.
    shown: Arc<AtomicBool>,
}

impl Unsent {
    pub(super) fn new(door: String, fields: Vec<(String, String)>) -> Self {
        Self { door, fields, ..Self::default() }
    }

    /// What stood in the fields of that name, for a form that shows it now.
    pub(super) fn show(&self, door: &str, field: &str) -> Vec<String> {
        if self.door == door {
            self.shown.store(true, Ordering::Relaxed);
        }
        self.look(door, field)
    }

    /// The same, for who only looks whether it is theirs to show.
    pub(super) fn look(&self, door: &str, field: &str) -> Vec<String> {
        if self.door != door {
            return Vec::new();
        }
        self.fields.iter().filter(|(name, _)| name == field).map(|(_, value)| value.clone()).collect()
    }

    pub(super) fn is_shown(&self) -> bool {
        self.shown.load(Ordering::Relaxed)
    }
}

/// The middleware. Stands inside [`super::gate`], outside of all doors.
pub(super) async fn keep_unsent(State(state): State<SignIn>, request: Request, next: Next) -> Response {
    let Some(form) = form_of(&request) else {
        let mut response = next.run(request).await;
        response.headers_mut().remove(NOT_DONE);
        return response;
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST).await else { return StatusCode::BAD_REQUEST.into_response() };
    let mut response = next.run(Request::from_parts(parts.clone(), Body::from(body.clone()))).await;
    if response.headers_mut().remove(NOT_DONE).is_some() {
        keep(&state, form, parts, body).await;
    } else if let (true, Some(Asker::Member(viewer))) = (response.status().is_redirection(), parts.extensions.get())
        && viewer.unsent_on.as_ref() == Some(&page_of(&parts))
    {
        // What went through in the end, perhaps from another tab, is no longer to be sent.
        drop(forget(&state, viewer, form.door).await.map_err(mishap));
    }
    response
}

/// The form that is sent, where it is one to be kept and not too long.
fn form_of(request: &Request) -> Option<&'static Form> {
    if request.method() != Method::POST {
        return None;
    }
    let length: usize = request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()?;
    if length > LONGEST {
        return None;
    }
    FORMS.iter().find(|form| form.door == request.uri().path())
}

/// What can't be kept is lost, as it would be without; the person is told already what was the matter.
async fn keep(state: &SignIn, form: &Form, parts: Parts, body: Bytes) {
    let page = page_of(&parts);
    if !page.starts_with(form.on) {
        return;
    }
    let kept = async {
        let Some(session) = parts.extensions.get::<Session>().and_then(Session::id) else { return Ok(()) };
        let Some((partner, member_id)) = who(state, &parts, &session).await? else { return Ok(()) };
        let fields = fields(form, parts, body).await;
        if fields.iter().all(|(_, value)| value.trim().is_empty()) {
            return Ok(());
        }
        let unsent = Unsent::new(form.door.to_owned(), fields);
        let mut tx = state.db.tenant(&partner).await?;
        store::keep_unsent(&mut tx, member_id, &hash(&session), &page, &unsent, state.clock.now()).await?;
        tx.commit().await
    };
    if let Err(error) = kept.await {
        mishap(error);
    }
}

/// The path of the page that has the form.
fn page_of(parts: &Parts) -> String {
    came_from(parts).as_str().split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// Who filled the form in: who asks, or whose session it was that has ended.
async fn who(state: &SignIn, parts: &Parts, session: &Id) -> sqlx::Result<Option<(PartnerId, i64)>> {
    if let Some(Asker::Member(viewer)) = parts.extensions.get() {
        return Ok(Some((viewer.partner.clone(), viewer.member_id)));
    }
    let was = state.sessions().whose(session).await?;
    let current = was.as_ref().and_then(|was| was.current());
    Ok(current.map(|membership| (membership.partner.clone(), membership.member_id)))
}

async fn fields(form: &Form, parts: Parts, body: Bytes) -> Vec<(String, String)> {
    let is_kept = |name: &str| form.fields.contains(&name);
    // Postgres keeps no NUL. A paste may hold a token.
    let clean = |value: &str| graph::redacted(&value.replace('\0', ""));
    let is_multipart = parts.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/"));
    if !is_multipart {
        let pairs = form_urlencoded::parse(&body).filter(|(name, _)| is_kept(name));
        return pairs.map(|(name, value)| (name.into_owned(), clean(&value))).collect();
    }
    let mut fields = Vec::new();
    let request = Request::from_parts(parts, Body::from(body));
    let Ok(mut multipart) = Multipart::from_request(request, &()).await else { return fields };
    while let Ok(Some(field)) = multipart.next_field().await {
        let Some(name) = field.name().filter(|name| is_kept(name)).map(str::to_owned) else { continue };
        if let Ok(value) = field.text().await {
            fields.push((name, clean(&value)));
        }
    }
    fields
}

/// What the viewer filled in on this page, in this browser, and didn't get through.
pub(super) async fn find(state: &SignIn, viewer: &Viewer, session: &Id) -> sqlx::Result<Option<Unsent>> {
    let record = state.sessions().peek(session).await?;
    let was = record.as_ref().and_then(|record| hex::decode(record.data.get(WAS)?.as_str()?).ok());
    let sessions: Vec<Vec<u8>> = std::iter::once(hash(session)).chain(was).collect();
    let mut tx = state.db.tenant(&viewer.partner).await?;
    let since = state.clock.now() - KEPT_FOR;
    store::find_unsent(&mut tx, viewer.member_id, &sessions, since).await
}

/// Forgets the viewer's form: it was shown again, or went through.
pub(super) async fn forget(state: &SignIn, viewer: &Viewer, door: &str) -> sqlx::Result<()> {
    let mut tx = state.db.tenant(&viewer.partner).await?;
    store::forget_unsent(&mut tx, viewer.member_id, door).await?;
    tx.commit().await
}
