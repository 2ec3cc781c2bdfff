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
use serde::Deserialize;
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
    session::{Membership, SIGNED_IN, SignedIn, UNDER_WAY},
    visit::{query_value, way_in},
    whence::Whence,
};
use crate::{
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

async fn begin(state: &SignIn, session: &Session, return_to: &ReturnTo) -> Result<String, SignInProblem> {
    let handshake = Handshake::from_random(rand::random(), rand::random());
    let redirect_uri = arrival::callback_url(&state.public_url).ok_or(Kind::Unexpected)?;
    let dialog = state.graph.dialog_url(&redirect_uri, &handshake.state, &handshake.challenge());
    let mut under_way = sign_ins_under_way(session).await?;
    under_way.begin(&handshake, return_to, state.clock.now());
    session.insert(UNDER_WAY, &under_way).await.map_err(away)?;
    if let Err(error) = session.save().await {
        // Else the session's layer would try once more, and answer with an empty page.
        session.clear().await;
        return Err(away(error));
    }
    Ok(dialog.into())
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
    let before = sign_ins_under_way(session).await?;
    let mut others = before.clone();
    let begun = key.and_then(|key| others.take(&key, state.clock.now()));
    // The id is known to be a session's only after the session was read.
    let (Some(begun), Some(id)) = (begun, session.id()) else { return Ok(None) };
    let json =
        |under_way: &UnderWay| serde_json::to_value(under_way).map_err(|error| SignInProblem::from(mishap(error)));
    let swapped = state.sessions().swap(&id, UNDER_WAY, &json(&before)?, &json(&others)?).await;
    let is_first = swapped.map_err(|error| SignInProblem::from(mishap(error)))?;
    Ok(is_first.then_some((begun, others)))
}

/// What can't be read counts as none: the person begins again.
async fn sign_ins_under_way(session: &Session) -> Result<UnderWay, SignInProblem> {
    let kept = session.get_value(UNDER_WAY).await.map_err(away)?;
    Ok(kept.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default())
}

/// Puts the person into the session, under a new id: one known before sign-in is worth nothing after.
async fn enter(session: &Session, signed_in: &SignedIn, others: &UnderWay) -> Result<(), SignInProblem> {
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
async fn choose_partner(session: Session, parts: Parts, form: Result<Form<Choice>, FormRejection>) -> Response {
    let Choice { partner_id, back } = form.map(|Form(choice)| choice).unwrap_or_default();
    let back = ReturnTo::from_untrusted(back.as_deref());
    let signed_in = match session.get_value(SIGNED_IN).await {
        Ok(kept) => kept.and_then(|value| serde_json::from_value::<SignedIn>(value).ok()),
        Err(error) => return answer(&parts, &away(error).page(&back), StatusCode::SERVICE_UNAVAILABLE),
    };
    let Some(mut signed_in) = signed_in else {
        return answer(&parts, &way_in(&parts, &back), StatusCode::UNAUTHORIZED);
    };
    let switches = signed_in.current.is_some();
    if !signed_in.choose(&partner_id) {
        return (StatusCode::NOT_FOUND, AppError::NotFound.text().to_owned()).into_response();
    }
    let saved = match session.insert(SIGNED_IN, &signed_in).await {
        Ok(()) => session.save().await,
        Err(error) => Err(error),
    };
    if let Err(error) = saved {
        return answer(&parts, &away(error).page(&back), StatusCode::SERVICE_UNAVAILABLE);
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

async fn end(state: &SignIn, id: &Id, whence: &Whence) -> sqlx::Result<()> {
    let record = state.sessions().peek(id).await?;
    state.sessions().end(id).await?;
    let signed_in = record.and_then(|record| SignedIn::find(&record.data));
    for Membership { partner, member_id, .. } in signed_in.into_iter().flat_map(|signed_in| signed_in.memberships) {
        let mut tx = state.db.tenant(&partner).await?;
        let (at, who) = (state.clock.now(), Who::Member(member_id));
        let entry = Entry { at, act: Act::SignedOut, who, detail: String::new(), whence: whence.clone() };
        audit(&mut tx, &entry).await?;
        tx.commit().await?;
    }
    Ok(())
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
