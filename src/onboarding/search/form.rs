//! `POST /requests`: what was typed into the bar becomes the address of its list.
//!
//! A paste may hold a token. Sent as a form it stands in no address; what leads on has the secrets taken out, as every address has.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header::LOCATION};
use url::form_urlencoded;

use super::{address, export::Needs};
use crate::{
    graph,
    sign_in::{Visit, refuse_request},
};

/// The longest address that is made of a search, in bytes: every browser and proxy takes it.
const LONGEST_ADDRESS: usize = 7_000;

/// Tells the page that the search was longer.
const TOO_LONG: &str = "problem=too_long";

pub(super) async fn search(State(needs): State<Needs>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if let Err(error) = Visit::of_request(&parts, needs.db, needs.clock) {
        return refuse_request(&parts, &error);
    }
    let led = match Bytes::from_request(Request::from_parts(parts.clone(), body), &()).await {
        Ok(form) => {
            let text = form_urlencoded::parse(&form).find(|(name, _)| name == "q").map(|(_, text)| text);
            address_of(&graph::redacted(text.unwrap_or_default().trim()))
        }
        Err(rejection) => {
            tracing::info!(%rejection, "a search could not be read");
            address::at(address::PATH, "", Some(TOO_LONG))
        }
    };
    let led = HeaderValue::from_str(&led).unwrap_or(HeaderValue::from_static(address::PATH));
    (StatusCode::SEE_OTHER, [(LOCATION, led)]).into_response()
}

/// The list of a text, or of as much of it as an address holds.
fn address_of(text: &str) -> String {
    let mut length = 0;
    let held: String = text
        .chars()
        .take_while(|letter| {
            length += if letter.is_ascii_alphanumeric() { 1 } else { 3 * letter.len_utf8() };
            length <= LONGEST_ADDRESS
        })
        .collect();
    address::at(address::PATH, &held, (held.len() < text.len()).then_some(TOO_LONG))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_of_any_length_has_an_address_that_every_browser_takes() {
        assert_eq!(address_of("is:failed code:100"), "/requests?q=is:failed%20code:100");
        assert_eq!(address_of(""), "/requests");
        for letter in ["x", "é", "🦊", "\"", "\0"] {
            let address = address_of(&letter.repeat(60_000));
            assert!(address.len() < LONGEST_ADDRESS + 100 && address.ends_with("&problem=too_long"), "{letter}");
        }
    }
}
