//! The end of every door: where the browser goes next, or what a program is told.
//!
//! Browsers (`Accept: text/html`) are always led to a page by 303, so that reloading never sends a form twice; what went
//! wrong is told there. Programs get the status and the error as JSON.

use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue, Method, StatusCode, Uri,
    header::{ACCEPT, LOCATION, REFERER},
    request::Parts,
};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use super::{
    return_to::{ReturnTo, escape, is_local},
    unsent::NOT_DONE,
    visit::{way_in, way_to_new_token},
};
use crate::ui::AppError;

/// Why a door didn't do what was asked, and the page that tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What happened.
    pub error: AppError,
    /// The page with the form, path and query. A `problem=` of the room's own is kept; else [`finish`] adds one.
    pub back_to: String,
}

/// Settles a door's response: 303 to the path of a success, or what became of it otherwise.
///
/// # Errors
/// For programs, the problem's own error; for browsers none, since they are led to a page that tells it.
pub fn finish(result: Result<String, Problem>) -> Result<(), AppError> {
    let (Some(parts), Some(response)) = (use_context::<Parts>(), use_context::<ResponseOptions>()) else {
        return result.map(drop).map_err(|problem| problem.error);
    };
    match result {
        Ok(path) => see_other(&response, &path),
        Err(Problem { error, back_to }) => {
            if !accepts_html(&parts) {
                set_status(&response, &error);
                return Err(error);
            }
            see_other(&response, &page_that_tells(&parts, &error, &back_to));
            if is_not_done(&error) {
                response.insert_header(NOT_DONE, HeaderValue::from_static("yes"));
            }
        }
    }
    Ok(())
}

fn page_that_tells(parts: &Parts, error: &AppError, back_to: &str) -> String {
    let back = ReturnTo::from_untrusted(Some(back_to));
    match error {
        AppError::NotSignedIn => way_in(parts, &back),
        AppError::TokenProblem => way_to_new_token(back.as_str()),
        error => with_problem(back_to, error),
    }
}

/// As [`finish`] for a door that is a plain route: the whole answer.
pub fn respond(parts: &Parts, result: Result<String, Problem>) -> Response {
    match result {
        Ok(path) => led_to(&path, false),
        Err(Problem { error, .. }) if !accepts_html(parts) => told(&error),
        Err(Problem { error, back_to }) => led_to(&page_that_tells(parts, &error, &back_to), is_not_done(&error)),
    }
}

/// The answer of a plain route that can't be: strangers are led to sign in and back, others get the status and what it means.
pub fn refuse_request(parts: &Parts, error: &AppError) -> Response {
    if *error != AppError::NotSignedIn || !accepts_html(parts) {
        return told(error);
    }
    let back = if parts.method == Method::GET { ReturnTo::from_uri(&parts.uri) } else { came_from(parts) };
    led_to(&way_in(parts, &back), true)
}

fn led_to(path: &str, is_not_done: bool) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, location(path))]).into_response();
    if is_not_done {
        response.headers_mut().insert(NOT_DONE, HeaderValue::from_static("yes"));
    }
    response
}

/// Where Meta wants a new sign-in, what was asked for is saved already, or stands in the address that leads back.
fn is_not_done(error: &AppError) -> bool {
    *error != AppError::TokenProblem
}

fn told(error: &AppError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, format!("{}. {}\n", error.title(), error.text())).into_response()
}

/// As [`finish`] for a door whose asker isn't known. The error is handed back, since the door can't go on.
pub(super) fn refuse(parts: &Parts, error: AppError) -> AppError {
    if let Some(response) = use_context::<ResponseOptions>() {
        if accepts_html(parts) {
            let back = came_from(parts);
            let path = match &error {
                AppError::NotSignedIn => way_in(parts, &back),
                error => with_problem(back.as_str(), error),
            };
            see_other(&response, &path);
            response.insert_header(NOT_DONE, HeaderValue::from_static("yes"));
        } else {
            set_status(&response, &error);
        }
    }
    error
}

/// Leads a browser on, from a page as well.
pub(super) fn redirect(path: &str) {
    if let Some(response) = use_context::<ResponseOptions>() {
        see_other(&response, path);
    }
}

fn see_other(response: &ResponseOptions, path: &str) {
    response.set_status(StatusCode::SEE_OTHER);
    response.insert_header(LOCATION, location(path));
}

fn location(path: &str) -> HeaderValue {
    let location = if is_local(path) { HeaderValue::from_str(path).ok() } else { None };
    location.unwrap_or_else(|| {
        tracing::error!(path, "a door leads to what is no path of ours");
        ReturnTo::default().header()
    })
}

fn set_status(response: &ResponseOptions, error: &AppError) {
    response.set_status(StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
}

/// Whether a browser asks, rather than a program.
pub(super) fn accepts_html(parts: &Parts) -> bool {
    parts.headers.get_all(ACCEPT).iter().any(|line| line.as_bytes().windows(9).any(|part| part == b"text/html"))
}

/// The page of ours that held the form. The header may come from anywhere, but only its path is taken.
pub(super) fn came_from(parts: &Parts) -> ReturnTo {
    let referer = parts.headers.get(REFERER).and_then(|referer| referer.to_str().ok()?.parse::<Uri>().ok());
    referer.map_or_else(ReturnTo::default, |referer| ReturnTo::from_uri(&referer))
}

/// The codes of errors that a page can tell from its address alone.
fn code(error: &AppError) -> &'static str {
    match error {
        AppError::NotSignedIn => "not_signed_in",
        AppError::TokenProblem => "token_problem",
        AppError::Forbidden => "forbidden",
        AppError::NotFound => "not_found",
        AppError::Invalid { .. } => "invalid",
        AppError::Unavailable { .. } => "unavailable",
        AppError::TookTooLong { .. } => "took_too_long",
        AppError::Unexpected { .. } => "unexpected",
        AppError::TooMany => "too_many",
        AppError::Unreachable => "unreachable",
        AppError::OutOfDate => "out_of_date",
    }
}

/// `back_to` with the error's code and reference, in place of what an earlier problem left there.
fn with_problem(back_to: &str, error: &AppError) -> String {
    let (page, fragment) = back_to.split_once('#').map_or((back_to, None), |(page, rest)| (page, Some(rest)));
    let (path, query) = page.split_once('?').unwrap_or((page, ""));
    let told = |pair: &str| pair.strip_prefix("problem=").map(|code| told_by(|_| Some(code.to_owned())));
    if query.split('&').any(|pair| told(pair) == Some(None)) {
        return back_to.to_owned();
    }
    let mut path = format!("{path}?");
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        if told(pair).is_none() && !pair.starts_with("reference=") {
            path = format!("{path}{pair}&");
        }
    }
    path = format!("{path}problem={}", code(error));
    if let Some(reference) = error.reference() {
        path = format!("{path}&reference={}", escape(reference));
    }
    match fragment {
        Some(fragment) => format!("{path}#{fragment}"),
        None => path,
    }
}

/// Reads back what [`with_problem`] wrote; `None` for codes of a room's own. Words can't be brought along, so that nobody can
/// make up a link that puts theirs on our page.
pub(super) fn told_by(value: impl Fn(&str) -> Option<String>) -> Option<AppError> {
    let reference = || {
        let looks_like_one =
            |text: &String| text.len() <= 32 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        value("reference").filter(looks_like_one).unwrap_or_default()
    };
    match value("problem")?.as_str() {
        "forbidden" => Some(AppError::Forbidden),
        "not_found" => Some(AppError::NotFound),
        "invalid" => Some(AppError::Invalid {
            field: String::new(),
            message: "Something in the form can’t be used.".to_owned(),
        }),
        "unavailable" => Some(AppError::Unavailable { reference: reference() }),
        "took_too_long" => Some(AppError::TookTooLong { reference: reference() }),
        "unexpected" => Some(AppError::Unexpected { reference: reference() }),
        "too_many" => Some(AppError::TooMany),
        "out_of_date" => Some(AppError::OutOfDate),
        "token_problem" => Some(AppError::TokenProblem),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn told(path: &str) -> Option<AppError> {
        let url = Url::parse("https://liteboard.example").unwrap().join(path).unwrap();
        told_by(|name| url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned()))
    }

    #[test]
    fn the_page_tells_what_the_door_found() {
        for error in [
            AppError::Forbidden,
            AppError::NotFound,
            AppError::OutOfDate,
            AppError::TokenProblem,
            AppError::Unavailable { reference: "E7F3-92QD-K4".into() },
            AppError::TookTooLong { reference: "E7F3-92QD-K4".into() },
            AppError::Unexpected { reference: "-".into() },
        ] {
            let path = with_problem("/businesses/7?q=a%20b#send", &error);
            assert!(path.starts_with("/businesses/7?q=a%20b&problem=") && path.ends_with("#send"), "{path}");
            assert_eq!(told(&path), Some(error), "{path}");
        }
    }

    #[test]
    fn a_new_problem_takes_the_place_of_the_last_one() {
        let path = with_problem("/businesses?problem=unavailable&reference=A&q=a", &AppError::Forbidden);
        assert_eq!(path, "/businesses?q=a&problem=forbidden");
    }

    #[test]
    fn a_rooms_own_problem_is_kept() {
        let path = "/businesses/7?problem=solution_gone";
        assert_eq!(with_problem(path, &AppError::Forbidden), path);
        assert_eq!(told(path), None);
    }

    #[test]
    fn a_made_up_reference_is_not_shown() {
        let error = told("/businesses?problem=unexpected&reference=call+0800+for+help");
        assert_eq!(error, Some(AppError::Unexpected { reference: String::new() }));
    }

    #[test]
    fn a_door_leads_back_only_within_our_site() {
        let came = |referer: &str| {
            let request = http::Request::builder().header(REFERER, referer).body(()).unwrap();
            came_from(&request.into_parts().0).as_str().to_owned()
        };
        assert_eq!(came("https://liteboard.example/requests?is=failed"), "/requests?is=failed");
        assert_eq!(came("https://evil.example//evil.example/"), "/businesses");
        assert_eq!(came("no address"), "/businesses");
    }

    #[test]
    fn browsers_and_programs_are_told_apart_by_what_they_accept() {
        let accepts = |accept: &str| {
            accepts_html(&http::Request::builder().header(ACCEPT, accept).body(()).unwrap().into_parts().0)
        };
        assert!(accepts("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"));
        assert!(!accepts("*/*") && !accepts("application/json") && !accepts(""));
    }
}
