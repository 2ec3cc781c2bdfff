//! `POST /support`: what was typed or pasted, of any length, becomes an address.
//!
//! A megabyte fits into no address, so the box is a form that is sent; its ids are taken out here, and the browser is led to the address
//! that finds them, or straight to the one request they mean. What was found is kept as the member's last look-up.

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request, State},
    response::Response,
    routing::post,
};
use url::form_urlencoded;

use super::{
    find::{Answer, By, Found, KnownBusiness, find},
    lookup::{self, Pasted, query_of},
    page::request_path,
    stated::Stated,
    store::{self, LookUp},
};
use crate::{
    clock::Clock,
    db::Db,
    sign_in::{Problem, Visit, refuse_request, respond},
    telemetry::mishap,
    ui::{AppError, plural},
};

/// The longest text that is read.
const LONGEST_TEXT: usize = 1024 * 1024;

/// The most of a form that is taken in: a text in letters that a form escapes is up to nine times as long.
pub const LARGEST_FORM: usize = 9 * LONGEST_TEXT + 64 * 1024;

/// What this route needs.
#[derive(Clone)]
struct Needs {
    db: Db,
    clock: Clock,
}

/// The route, ready to be merged into the application's.
pub fn routes<S: Clone + Send + Sync + 'static>(db: Db, clock: Clock) -> Router<S> {
    Router::new()
        .route("/support", post(look_up).layer(DefaultBodyLimit::max(LARGEST_FORM)))
        .with_state(Needs { db, clock })
}

async fn look_up(State(needs): State<Needs>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let visit = match Visit::of_request(&parts, needs.db, needs.clock) {
        Ok(visit) => visit,
        Err(error) => return refuse_request(&parts, &error),
    };
    let ended = match Bytes::from_request(Request::from_parts(parts.clone(), body), &()).await {
        Ok(form) => lead_on(&visit, &form).await,
        Err(rejection) => {
            tracing::info!(%rejection, "a pasted text could not be read");
            Ok("/support?problem=too_long".to_owned())
        }
    };
    respond(&parts, ended.map_err(|error| Problem { error, back_to: "/support".to_owned() }))
}

/// Where what the form holds is answered.
async fn lead_on(visit: &Visit, form: &[u8]) -> Result<String, AppError> {
    let text = form_urlencoded::parse(form).find(|(name, _)| name == "q").map(|(_, text)| text).unwrap_or_default();
    if text.len() > LONGEST_TEXT {
        return Ok("/support?problem=too_long".to_owned());
    }
    let (query, pasted) = query_of(&text);
    if query.is_empty() {
        return Ok("/support".to_owned());
    }
    let typed = lookup::read_query(&query, pasted.map(|pasted| pasted.shape));
    let mut tx = visit.tenant().await?;
    let now = visit.clock.now();
    let answer = find(&mut tx, &typed, now).await.map_err(mishap)?;
    if let Some(look_up) = kept(&query, &typed, &answer) {
        store::keep_look_up(&mut tx, visit.viewer.member_id, &look_up, now).await.map_err(mishap)?;
        tx.commit().await.map_err(mishap)?;
    }
    Ok(match answer.found {
        Found::Request(line) => request_path(line.number),
        _ => address(&query, pasted),
    })
}

/// The address of an answer; of a long text also its kind, its length and the error in it, so that the answer can say how it was read.
pub(super) fn address(query: &str, pasted: Option<Pasted>) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs.append_pair("q", query);
    if let Some(Pasted { shape, length, more, stated }) = pasted {
        pairs.append_pair("as", shape.key());
        pairs.append_pair("of", &length.to_string());
        if more {
            pairs.append_pair("more", "yes");
        }
        if let Some(Stated { cause, code, subcode }) = stated {
            pairs.append_pair("cause", cause.as_str());
            pairs.append_pair("code", &code.to_string());
            subcode.map(|subcode| pairs.append_pair("subcode", &subcode.to_string()));
        }
    }
    format!("/support?{}", pairs.finish())
}

/// What to remember of a look-up: the id rather than the text around it; nothing, where nothing was found.
fn kept(query: &str, typed: &lookup::Typed, answer: &Answer) -> Option<LookUp> {
    let was = match &answer.found {
        Found::Nothing => return None,
        Found::Request(line) => line.business_name.clone().unwrap_or_else(|| line.number.to_string()),
        Found::Business(known, _) => name_of(known),
        Found::Call(story) => story.call.business_name.clone().unwrap_or_else(|| "A call to Meta".to_owned()),
        Found::Several(hits) => {
            let count = hits.requests.len() + hits.businesses.len() + hits.calls.len();
            plural(count as u64, "thing", "things")
        }
    };
    let ids = &typed.ids;
    let by = match (answer.by, &answer.found) {
        (_, Found::Several(_)) => None,
        (By::Trace, _) => ids.traces.first().or(ids.lookalikes.first()).cloned(),
        (By::Number, _) => ids.numbers.first().map(ToString::to_string),
        (By::Digits, _) if ids.digits.len() == 1 => ids.digits.first().cloned(),
        _ => None,
    };
    let asked: String = by.unwrap_or_else(|| query.to_owned()).chars().take(200).collect();
    Some(LookUp { asked, was: was.chars().take(300).collect() })
}

fn name_of(known: &KnownBusiness) -> String {
    let name = &known.business.name;
    if known.by_waba.is_some() { format!("WABA of {name}") } else { name.clone() }
}

#[cfg(test)]
mod tests {
    use super::{super::lookup::Shape, *};
    use crate::graph::Cause;

    #[test]
    fn an_address_says_what_it_was_taken_from() {
        assert_eq!(address("LB-1001", None), "/support?q=LB-1001");
        let pasted = Pasted { shape: Shape::Curl, length: 1_048_576, more: false, stated: None };
        assert_eq!(address("A1 B+2", Some(pasted)), "/support?q=A1+B%2B2&as=curl&of=1048576");
        let stated = Some(Stated { cause: Cause::TokenInvalid, code: 190, subcode: Some(463) });
        let pasted = Pasted { more: true, stated, ..pasted };
        assert_eq!(
            address("A1", Some(pasted)),
            "/support?q=A1&as=curl&of=1048576&more=yes&cause=token_invalid&code=190&subcode=463"
        );
    }
}
