//! Finds out who is asking, once for each request, before any page or door runs.
//!
//! It refuses nobody: pages and doors do, by [`super::Visit::from_context`]. Without it everyone is a stranger.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::Method;
use tower_sessions::{
    Session,
    session::{Id, Record},
};

use super::{
    SignIn, cookie,
    session::{End, Membership, SignedIn},
    session_store::Found,
    store, unsent,
    visit::Viewer,
};
use crate::{telemetry::mishap, ui::AppError};

/// Who is asking; a request's extension.
#[derive(Clone, Debug)]
pub(super) enum Asker {
    /// A member of the partner in force.
    Member(Box<Viewer>),
    /// Signed in for several partners, with none in force yet.
    Undecided(Arc<[Membership]>),
    /// Nobody we know.
    Stranger {
        /// They had a session once, and what became of it.
        ended: Option<End>,
    },
    /// We can't tell: a part we need for it is away.
    Unknown(AppError),
}

/// Paths that are the same for everyone: files, probes, and Meta's webhooks.
fn is_for_everyone(path: &str) -> bool {
    ["/assets/", "/pkg/", "/webhooks"].iter().any(|start| path.starts_with(start))
        || matches!(path, "/healthz" | "/readyz" | "/robots.txt" | "/favicon.ico" | "/favicon.svg")
}

/// The middleware. Stands inside the session's own layer.
pub(super) async fn find_the_asker(State(state): State<SignIn>, mut request: Request, next: Next) -> Response {
    if !is_for_everyone(request.uri().path()) {
        let id = request.extensions().get::<Session>().and_then(Session::id);
        let asker = match id {
            Some(id) => ask(&state, &id).await.unwrap_or_else(|error| Asker::Unknown(mishap(error))),
            // A cookie that was cut or comes from elsewhere has no id to look for.
            None => {
                Asker::Stranger { ended: cookie::is_sent(request.headers(), &state.public_url).then_some(End::Idle) }
            }
        };
        if let (Asker::Member(viewer), Some(id)) = (&asker, &id)
            && request.method() == Method::GET
            && viewer.unsent_on.as_deref() == Some(request.uri().path())
            && let Ok(Some(unsent)) = unsent::find(&state, viewer, id).await.map_err(mishap)
        {
            let viewer = viewer.clone();
            request.extensions_mut().insert(asker);
            request.extensions_mut().insert(unsent.clone());
            let response = next.run(request).await;
            if response.status().is_success() && unsent.is_shown() {
                drop(unsent::forget(&state, &viewer, &unsent.door).await.map_err(mishap));
            }
            return response;
        }
        request.extensions_mut().insert(asker);
    }
    next.run(request).await
}

async fn ask(state: &SignIn, id: &Id) -> sqlx::Result<Asker> {
    let (record, noted) = match state.sessions().find(id).await? {
        Found::Open { record, noted } => (record, noted),
        Found::Ended(end) => return Ok(Asker::Stranger { ended: Some(end) }),
    };
    let asker = judge(state, Some(record)).await?;
    if let (true, Asker::Member(viewer)) = (noted, &asker) {
        let mut tx = state.db.tenant(&viewer.partner).await?;
        store::note_seen(&mut tx, viewer.member_id, state.clock.now()).await?;
        tx.commit().await?;
    }
    Ok(asker)
}

/// Who stands behind a session, if it hasn't ended.
pub(super) async fn judge(state: &SignIn, record: Option<Record>) -> sqlx::Result<Asker> {
    let Some(record) = record else {
        return Ok(Asker::Stranger { ended: Some(End::Idle) });
    };
    // A session without a person is a sign-in under way.
    let Some(mut signed_in) = SignedIn::find(&record.data) else {
        return Ok(Asker::Stranger { ended: None });
    };
    // The operator may take a partner off the list while its people are signed in.
    signed_in.memberships.retain(|membership| state.partners.contains(&membership.partner));
    if signed_in.memberships.is_empty() {
        return Ok(Asker::Stranger { ended: Some(End::NotListed) });
    }
    let Some(current) = signed_in.current() else {
        return Ok(Asker::Undecided(signed_in.memberships.into()));
    };
    let mut tx = state.db.tenant(&current.partner).await?;
    let Some(member) = store::find_member(&mut tx, current.member_id, state.clock.now()).await? else {
        return Ok(Asker::Stranger { ended: Some(End::Removed) });
    };
    let viewer = Viewer {
        partner: current.partner.clone(),
        partner_name: member.partner_name,
        member_id: current.member_id,
        name: member.name,
        role: member.role,
        other_partners: signed_in.others(),
        token_problem: member.token_problem,
        stalled_after: member.stalled_after,
        raw_body_days: member.raw_body_days,
        unsent_on: member.unsent_on,
    };
    Ok(Asker::Member(Box::new(viewer)))
}
