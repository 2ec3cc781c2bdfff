//! The routes that change who is asking: to Facebook and back, the choice of a partner, and out.
//!
//! They are plain axum handlers, since they need the session and headers of their own. Pages are in [`super::page`].

use axum::{
    Form, Router,
    extract::{State, rejection::FormRejection},
    response::{AppendHeaders, IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderName, HeaderValue, StatusCode, header::LOCATION, request::Parts};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower_sessions::{
    Session,
    session::{self, Id},
};

use super::{
    SignIn, arrival,
    audit::{Act, Entry, Who, audit},
    cookie,
    finish::accepts_html,
    handshake::{Begun, Handshake, UnderWay},
    problem::{Kind, SignInProblem},
    return_to::ReturnTo,
    session::{Membership, SIGNED_IN, SignedIn, UNDER_WAY, WAS},
    session_store::hash,
    visit::{query_value, way_in},
    whence::Whence,
};
use crate::{
    db::TenantTx,
    telemetry::{self, mishap},
    ui::AppError,
};

/// These routes, ready to be merged into the application's.
pub fn routes<S: Clone + Send + Sync + 'static>(state: SignIn) -> Router<S> {
    Router::new()
        .route("/sign-in/start", get(start))
        .route("/sign-in/callback", get(callback))
        .route("/sign-in/partner", post(choose_partner))
        .route("/sign-out", post(sign_out))
        .with_state(state)
}

/// `GET /sign-in/start?return_to=`: off to Facebook, with a state that only this browser's session knows.
async fn start(State(state): State<SignIn>, session: Session, parts: Parts) -> Response {
    let return_to = ReturnTo::from_untrusted(query_value(&parts, "return_to").as_deref());
    match begin(&state, &session, &return_to).await {
        Ok(dialog) => see_other(&dialog),
        Err(problem) => see_other(&problem.page(&return_to)),
    }
}

/// Times to look again at sign-ins under way that another tab changed at the same moment.
const LOOKS: u32 = 10;

/// A sign-in is added to those under way, and never brings back one that was taken meanwhile.
async fn begin(state: &SignIn, session: &Session, return_to: &ReturnTo) -> Result<String, SignInProblem> {
    let handshake = Handshake::from_random(rand::random(), rand::random());
    let redirect_uri = arrival::callback_url(&state.public_url).ok_or(Kind::Unexpected)?;
    let dialog = state.graph.dialog_url(&redirect_uri, &handshake.state, &handshake.challenge());
    for _ in 0..LOOKS {
        let Some((id, kept)) = look_under_way(state, session).await? else {
            return begin_session(state, session, &handshake, return_to).await.map(|()| dialog.into());
        };
        let mut under_way = read_under_way(kept.as_ref());
        under_way.begin(&handshake, return_to, state.clock.now());
        let swapped = state.sessions().swap(&id, UNDER_WAY, kept.as_ref(), &json(&under_way)?).await;
        if swapped.map_err(|error| SignInProblem::from(mishap(error)))? {
            return Ok(dialog.into());
        }
    }
    Err(Kind::Unavailable.into())
}

/// The first sign-in of a browser that has no session.
async fn begin_session(
    state: &SignIn,
    session: &Session,
    handshake: &Handshake,
    return_to: &ReturnTo,
) -> Result<(), SignInProblem> {
    let was = session.id();
    let mut under_way = UnderWay::default();
    under_way.begin(handshake, return_to, state.clock.now());
    session.insert(UNDER_WAY, &under_way).await.map_err(away)?;
    if let Some(was) = was {
        session.insert(WAS, hex::encode(hash(&was))).await.map_err(away)?;
    }
    if let Err(error) = session.save().await {
        // Else the session's layer would try once more, and answer with an empty page.
        session.clear().await;
        return Err(away(error));
    }
    Ok(())
}

/// The browser's session as it's kept at this moment, and its entry of the sign-ins under way; `None`: there is no session.
async fn look_under_way(state: &SignIn, session: &Session) -> Result<Option<(Id, Option<Value>)>, SignInProblem> {
    let Some(id) = session.id() else { return Ok(None) };
    let record = state.sessions().peek(&id).await.map_err(|error| SignInProblem::from(mishap(error)))?;
    Ok(record.map(|mut record| (id, record.data.remove(UNDER_WAY))))
}

/// What can't be read counts as none: the person begins again.
fn read_under_way(kept: Option<&Value>) -> UnderWay {
    kept.and_then(|value| serde_json::from_value(value.clone()).ok()).unwrap_or_default()
}

fn json<T: Serialize>(value: &T) -> Result<Value, SignInProblem> {
    serde_json::to_value(value).map_err(|error| SignInProblem::from(mishap(error)))
}

/// `GET /sign-in/callback?code=&state=`: back from Facebook. A state is used up before its code is looked at, so that no
/// code is exchanged twice, whatever arrives again or at once.
async fn callback(State(state): State<SignIn>, session: Session, parts: Parts) -> Response {
    let query = |name| query_value(&parts, name);
    let claimed = match claim(&state, &session, query("state")).await {
        Ok(claimed) => claimed,
        Err(problem) => return see_other(&problem.page(&ReturnTo::default())),
    };
    let (begun, others) = claimed.unzip();
    let return_to = begun.as_ref().map(Begun::return_to).unwrap_or_default();
    let arrived = match (query("error").as_deref(), begun, query("code")) {
        // Nothing comes of a refusal, so it is believed without a state, too.
        (Some("access_denied"), ..) => Err(Kind::Cancelled.into()),
        (_, None, _) => Err(Kind::State.into()),
        (Some(_), ..) | (None, _, None) => Err(Kind::Refused.into()),
        (None, Some(begun), Some(code)) => {
            arrival::sign_in(&state, &code.into(), &begun.verifier.into(), &Whence::of(&parts)).await
        }
    };
    let entered = match arrived {
        Ok(signed_in) => enter(&session, &signed_in, &others.unwrap_or_default()).await.map(|()| signed_in),
        Err(problem) => Err(problem),
    };
    match entered {
        Ok(signed_in) if signed_in.current.is_some() => see_other(return_to.as_str()),
        Ok(_) => see_other(&return_to.carried_by("/sign-in/partner")),
        Err(problem) => see_other(&problem.page(&return_to)),
    }
}

/// Takes the sign-in that began with this state out of the session, for one asker only; gives back the others as well.
///
/// The session in memory is left alone: were it changed, its layer would save it even when nobody signed in.
async fn claim(
    state: &SignIn,
    session: &Session,
    key: Option<String>,
) -> Result<Option<(Begun, UnderWay)>, SignInProblem> {
    let Some(key) = key else { return Ok(None) };
    for _ in 0..LOOKS {
        let Some((id, kept)) = look_under_way(state, session).await? else { return Ok(None) };
        let mut others = read_under_way(kept.as_ref());
        let Some(begun) = others.take(&key, state.clock.now()) else { return Ok(None) };
        let swapped = state.sessions().swap(&id, UNDER_WAY, kept.as_ref(), &json(&others)?).await;
        if swapped.map_err(|error| SignInProblem::from(mishap(error)))? {
            return Ok(Some((begun, others)));
        }
    }
    Ok(None)
}

/// Puts the person into the session, under a new id: one known before sign-in is worth nothing after.
async fn enter(session: &Session, signed_in: &SignedIn, others: &UnderWay) -> Result<(), SignInProblem> {
    if let (Some(was), Some(_)) = (session.id(), session.get_value(SIGNED_IN).await.map_err(away)?) {
        session.insert(WAS, hex::encode(hash(&was))).await.map_err(away)?;
    }
    session.insert(SIGNED_IN, signed_in).await.map_err(away)?;
    session.insert(UNDER_WAY, others).await.map_err(away)?;
    session.cycle_id().await.map_err(away)?;
    session.save().await.map_err(away)
}

#[derive(Debug, Default, Deserialize)]
struct Choice {
    #[serde(default)]
    partner_id: String,
    back: Option<String>,
}

/// `POST /sign-in/partner` with `partner_id` and `back`: for which of their partners a person acts from now on.
async fn choose_partner(
    State(state): State<SignIn>,
    session: Session,
    parts: Parts,
    form: Result<Form<Choice>, FormRejection>,
) -> Response {
    let Choice { partner_id, back } = form.map(|Form(choice)| choice).unwrap_or_default();
    let back = ReturnTo::from_untrusted(back.as_deref());
    let kept = match session.get_value(SIGNED_IN).await {
        Ok(kept) => kept,
        Err(error) => return answer(&parts, &away(error).page(&back), StatusCode::SERVICE_UNAVAILABLE),
    };
    let signed_in = kept.clone().and_then(|value| serde_json::from_value::<SignedIn>(value).ok());
    let (Some(mut signed_in), Some(id)) = (signed_in, session.id()) else {
        return answer(&parts, &way_in(&parts, &back), StatusCode::UNAUTHORIZED);
    };
    let switches = signed_in.current.is_some();
    if !signed_in.choose(&partner_id) {
        return (StatusCode::NOT_FOUND, AppError::NotFound.text().to_owned()).into_response();
    }
    // This entry alone: sign-ins under way may be taken at this moment. Where another tab chose first, its choice stands.
    let saved = match json(&signed_in) {
        Ok(after) => {
            let swapped = state.sessions().swap(&id, SIGNED_IN, kept.as_ref(), &after).await;
            swapped.map_err(|error| SignInProblem::from(mishap(error)))
        }
        Err(problem) => Err(problem),
    };
    if let Err(problem) = saved {
        return answer(&parts, &problem.page(&back), StatusCode::SERVICE_UNAVAILABLE);
    }
    // The page someone switches from shows the other partner's things, which this one doesn't have.
    if switches { see_other(ReturnTo::default().as_str()) } else { see_other(back.as_str()) }
}

/// `POST /sign-out`: ends the session on the server and clears what the browser keeps of us. The browser forgets even
/// when Postgres is away, and the person is told that something didn't work.
async fn sign_out(State(state): State<SignIn>, session: Session, parts: Parts) -> Response {
    let ended = match session.id() {
        Some(id) => end(&state, &id, &Whence::of(&parts)).await,
        None => Ok(()),
    };
    let problem = match ended {
        Ok(()) => SignInProblem::from(Kind::SignedOut),
        Err(error) => mishap(error).into(),
    };
    let headers = AppendHeaders([
        (HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"cache\", \"cookies\", \"storage\"")),
        (http::header::SET_COOKIE, cookie::removal(&state.public_url)),
    ]);
    (headers, see_other(&problem.page(&ReturnTo::default()))).into_response()
}

/// Ends the session and writes it down for each of the person's partners: all of it, or nothing.
async fn end(state: &SignIn, id: &Id, whence: &Whence) -> sqlx::Result<()> {
    let mut tx = state.db.pool().begin().await?;
    let record = state.sessions().take(&mut tx, id).await?;
    let signed_in = record.and_then(|record| SignedIn::find(&record.data));
    for Membership { partner, member_id, .. } in signed_in.into_iter().flat_map(|signed_in| signed_in.memberships) {
        let mut tenant = TenantTx::enter(tx, &partner).await?;
        let (at, who) = (state.clock.now(), Who::Member(member_id));
        let entry = Entry { at, act: Act::SignedOut, who, detail: String::new(), whence: whence.clone() };
        audit(&mut tenant, &entry).await?;
        tx = tenant.leave().await?;
    }
    tx.commit().await
}

/// Browsers are led on, programs get a status.
fn answer(parts: &Parts, path: &str, status: StatusCode) -> Response {
    if accepts_html(parts) { see_other(path) } else { status.into_response() }
}

fn see_other(location: &str) -> Response {
    let location = HeaderValue::from_str(location).unwrap_or_else(|_| ReturnTo::default().header());
    (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response()
}

/// The session can't be read or kept. tower-sessions hands on the words of the error alone, and Postgres is what can fail here.
#[expect(clippy::needless_pass_by_value, reason = "takes what map_err hands over")]
fn away(error: session::Error) -> SignInProblem {
    let reference = telemetry::reference();
    tracing::error!(reference, %error, "a session can't be read or kept");
    AppError::Unavailable { reference }.into()
}
