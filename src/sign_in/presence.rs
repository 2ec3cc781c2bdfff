//! A member at a plain axum route: one that streams, and so may last longer than the session that began it.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header::LOCATION, request::Parts};
use tower_sessions::{Session, session::Id};

use super::{
    SignIn,
    audit::{Act, Entry, Who},
    finish::accepts_html,
    gate::{Asker, judge},
    return_to::ReturnTo,
    visit::{Viewer, way_in},
    whence::Whence,
};
use crate::ui::AppError;

/// Who asks, and by which session.
#[derive(Clone, Debug)]
pub struct Presence {
    /// Who asks.
    pub viewer: Viewer,
    state: SignIn,
    session: Option<Id>,
    whence: Whence,
}

impl Presence {
    /// The member who asks.
    ///
    /// # Errors
    /// The answer for strangers: browsers that want a page are led to sign in and back, programs and streams get 401.
    pub fn of(state: &SignIn, parts: &Parts) -> Result<Self, Box<Response>> {
        let viewer = match parts.extensions.get::<Asker>() {
            Some(Asker::Member(viewer)) => (**viewer).clone(),
            Some(Asker::Unknown(error)) => return Err(Box::new(refusal(error))),
            Some(Asker::Undecided(_) | Asker::Stranger { .. }) | None if accepts_html(parts) => {
                let path = way_in(parts, &ReturnTo::from_uri(&parts.uri));
                let location = HeaderValue::from_str(&path).unwrap_or(HeaderValue::from_static("/sign-in"));
                return Err(Box::new((StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response()));
            }
            Some(Asker::Undecided(_) | Asker::Stranger { .. }) | None => {
                return Err(Box::new(refusal(&AppError::NotSignedIn)));
            }
        };
        let session = parts.extensions.get::<Session>().and_then(Session::id);
        Ok(Self { viewer, state: state.clone(), session, whence: Whence::of(parts) })
    }

    /// For the audit log: what the viewer does now.
    pub fn entry(&self, act: Act, detail: impl Into<String>) -> Entry {
        let (at, who) = (self.state.clock.now(), Who::Member(self.viewer.member_id));
        Entry { at, act, who, detail: detail.into(), whence: self.whence.clone() }
    }

    /// Whether the session still stands for the same member of the same partner. Asking is no use of the session: watching alone
    /// keeps nobody signed in. When it can't be known, since Postgres is away, they are taken to be there.
    pub async fn lasts(&self) -> bool {
        let Some(id) = &self.session else { return false };
        let asker = async { judge(&self.state, self.state.sessions().peek(id).await?).await };
        match asker.await {
            Ok(Asker::Member(viewer)) => {
                (&viewer.partner, viewer.member_id) == (&self.viewer.partner, self.viewer.member_id)
            }
            Ok(_) => false,
            Err(error) => {
                tracing::debug!(%error, "can't tell whether a viewer is still signed in");
                true
            }
        }
    }
}

/// A plain answer for what can't be shown.
fn refusal(error: &AppError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, format!("{}. {}\n", error.title(), error.text())).into_response()
}
