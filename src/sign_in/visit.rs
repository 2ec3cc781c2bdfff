//! What a page or a door knows of the request it answers: who asks, for which partner, and with which words.

use std::sync::Arc;

use http::{Method, request::Parts};
use leptos::prelude::{AnyView, ArcMemo, GetUntracked, use_context};
use leptos_router::params::ParamsMap;
use time::OffsetDateTime;
use tower_sessions::Session;
use url::form_urlencoded;

pub use super::finish::{Problem, finish};
use super::{
    audit::{Act, Entry, Who},
    finish::{refuse as refuse_door, told_by},
    gate::Asker,
    model::Role,
    open_sessions::SessionMark,
    problem,
    problem::SignInProblem,
    return_to::ReturnTo,
    unsent::Unsent,
    whence::Whence,
};
use crate::{
    clock::Clock,
    db::{Db, PartnerId, TenantTx},
    telemetry::{self, mishap},
    ui::AppError,
};

/// A page of a room, for the frame that `app.rs` puts around it.
pub struct Page {
    /// What the window's title says before the product's name.
    pub title: String,
    /// What stands in the frame.
    pub view: AnyView,
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The partner they act for: the tenant.
    pub partner: PartnerId,
    /// Its name at Meta.
    pub partner_name: String,
    /// Our id of the member.
    pub member_id: i64,
    /// Their name, as Meta gave it.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The other partners they may switch to, with their names; often none.
    pub other_partners: Vec<(PartnerId, String)>,
    /// Why their token can't be used (`expired`, `revoked`, `missing`, ...); `None` while it can.
    pub token_problem: Option<String>,
    /// How long a client's admins may let a request lie before the partner calls it stalled.
    pub stalled_after: time::Duration,
    /// For how many days the partner keeps what Meta answered word for word.
    pub raw_body_days: i32,
    /// The path of the page with a form of theirs that didn't go through; `None` where there is none.
    pub unsent_on: Option<String>,
}

/// A request of a member. It comes only from [`Visit::from_context`], so whoever holds one is signed in.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Who asks.
    pub viewer: Viewer,
    /// Postgres.
    pub db: Db,
    /// The hour.
    pub clock: Clock,
    parts: Arc<Parts>,
    params: ParamsMap,
}

impl Visit {
    /// The request that leptos is answering. Call it before the first `await`: contexts are gone after.
    ///
    /// At a door (an unsafe method) a refusal is also written into the response, as [`finish`] does: browsers are led to
    /// the sign-in page and back to where they came from.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`] for strangers; what is away, when who asks can't be known.
    pub fn from_context() -> Result<Self, AppError> {
        let (Some(parts), Some(db), Some(clock)) =
            (use_context::<Parts>(), use_context::<Db>(), use_context::<Clock>())
        else {
            tracing::error!("a page or door runs outside of a request, or without Db and Clock in its context");
            return Err(AppError::Unexpected { reference: telemetry::reference() });
        };
        let viewer = viewer_of(&parts).map_err(|error| refuse(&parts, error))?;
        let params = use_context::<ArcMemo<ParamsMap>>().map(|params| params.get_untracked()).unwrap_or_default();
        Ok(Self { viewer, db, clock, parts: Arc::new(parts), params })
    }

    /// The request that a plain route is answering: one that takes or gives what is no page and no form. Its path has no named parts.
    ///
    /// # Errors
    /// As [`Visit::from_context`]; [`super::refuse_request`] answers with it.
    pub fn of_request(parts: &Parts, db: Db, clock: Clock) -> Result<Self, AppError> {
        Ok(Self { viewer: viewer_of(parts)?, db, clock, parts: Arc::new(parts.clone()), params: ParamsMap::default() })
    }

    /// The first value of a query parameter, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        query_value(&self.parts, name)
    }

    /// A part of the path, as the route names it.
    pub fn param(&self, name: &str) -> Option<String> {
        self.params.get(name)
    }

    /// The address asked for, as it came.
    pub fn path_and_query(&self) -> String {
        self.parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string)
    }

    /// What a door of this page said before it led back here, where it said one of [`AppError`]'s own words.
    pub fn problem(&self) -> Option<AppError> {
        told_by(|name| self.query(name))
    }

    /// Whether the page has put into its form what the viewer filled in and didn't get through.
    pub fn is_filled_in_again(&self) -> bool {
        self.parts.extensions.get().is_some_and(Unsent::is_shown)
    }

    /// What the viewer filled into a field of the form that is sent to `door`, where that didn't go through. To be asked for by a form that
    /// is shown, and no other: then it's forgotten.
    pub fn unsent(&self, door: &str, field: &str) -> Option<String> {
        self.all_unsent(door, field).into_iter().next()
    }

    /// As [`Visit::all_unsent`], for who looks first whether the page shows what it belongs to: it isn't forgotten for that.
    pub fn look_at_unsent(&self, door: &str, field: &str) -> Vec<String> {
        self.parts.extensions.get::<Unsent>().map(|unsent| unsent.look(door, field)).unwrap_or_default()
    }

    /// As [`Visit::unsent`], for fields that a form has many of.
    pub fn all_unsent(&self, door: &str, field: &str) -> Vec<String> {
        self.parts.extensions.get::<Unsent>().map(|unsent| unsent.show(door, field)).unwrap_or_default()
    }

    /// What waits for a client's admins since before this has stalled.
    pub fn stalled_before(&self) -> OffsetDateTime {
        self.clock.now() - self.viewer.stalled_after
    }

    /// The session that asks.
    pub fn session(&self) -> Option<SessionMark> {
        self.parts.extensions.get::<Session>().and_then(Session::id).map(|id| SessionMark::of(&id))
    }

    /// For the audit log: what the viewer does now.
    pub fn entry(&self, act: Act, detail: impl Into<String>) -> Entry {
        let (at, who) = (self.clock.now(), Who::Member(self.viewer.member_id));
        Entry { at, act, who, detail: detail.into(), whence: Whence::of(&self.parts) }
    }

    /// A transaction within the rows of the viewer's partner, in which no statement takes longer than a person waits.
    ///
    /// # Errors
    /// When Postgres can't be reached; logged already.
    pub async fn tenant(&self) -> Result<TenantTx, AppError> {
        let partner = &self.viewer.partner;
        let begun = if matches!(self.parts.method, Method::GET | Method::HEAD) {
            self.db.tenant_for_page(partner).await
        } else {
            self.db.tenant_for_deed(partner).await
        };
        begun.map_err(mishap)
    }
}

fn viewer_of(parts: &Parts) -> Result<Viewer, AppError> {
    match parts.extensions.get::<Asker>() {
        Some(Asker::Member(viewer)) => Ok((**viewer).clone()),
        Some(Asker::Unknown(error)) => Err(error.clone()),
        Some(Asker::Undecided(_) | Asker::Stranger { .. }) | None => Err(AppError::NotSignedIn),
    }
}

/// Where a stranger is led who asked for this page: to the sign-in page, which leads back; or, signed in for several
/// partners, to the choice among them.
pub fn way_to_sign_in() -> String {
    use_context::<Parts>()
        .map_or_else(|| "/sign-in".to_owned(), |parts| way_in(&parts, &ReturnTo::from_uri(&parts.uri)))
}

/// Where a member gives Meta's access anew and comes back to `path_and_query`: for a token that no longer works.
pub fn way_to_new_token(path_and_query: &str) -> String {
    SignInProblem::from(problem::Kind::TokenExpired).page(&ReturnTo::from_untrusted(Some(path_and_query)))
}

/// As [`way_to_sign_in`], for any request and any way back.
pub(super) fn way_in(parts: &Parts, return_to: &ReturnTo) -> String {
    match parts.extensions.get::<Asker>() {
        Some(Asker::Undecided(_)) => return_to.carried_by("/sign-in/partner"),
        Some(Asker::Stranger { ended: Some(end) }) => SignInProblem::from(problem::Kind::of_end(*end)).page(return_to),
        _ => return_to.carried_by("/sign-in"),
    }
}

/// The first value of a query parameter, decoded.
pub(super) fn query_value(parts: &Parts, name: &str) -> Option<String> {
    let query = parts.uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// Pages are refused by their frame; a door has none, so its answer is settled here.
fn refuse(parts: &Parts, error: AppError) -> AppError {
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return error;
    }
    refuse_door(parts, error)
}
