//! Whether single keys do something in this browser: a cookie, as the theme is.

use axum::{
    Form,
    extract::rejection::FormRejection,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{COOKIE, LOCATION, SET_COOKIE},
};
use serde::Deserialize;

use super::return_to::ReturnTo;

/// The form behind the two buttons.
#[derive(Debug, Default, Deserialize)]
pub struct KeysChoice {
    #[serde(default)]
    keys: String,
    back: Option<String>,
}

/// `POST /keys` with `keys` (`on`, `off`) and `back`: keeps the choice for a year and leads back.
pub async fn choose_keys(form: Result<Form<KeysChoice>, FormRejection>) -> Response {
    let KeysChoice { keys, back } = form.map(|Form(choice)| choice).unwrap_or_default();
    let cookie = HeaderValue::from_static(if keys == "off" {
        "keys=off; Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax"
    } else {
        "keys=; Max-Age=0; Path=/; SameSite=Lax"
    });
    let location = ReturnTo::from_untrusted(back.as_deref()).header();
    (StatusCode::SEE_OTHER, [(LOCATION, location), (SET_COOKIE, cookie)]).into_response()
}

/// Whether the browser that sent these headers has them on.
pub fn are_keys_on(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    !lines.flat_map(|line| line.split(';')).any(|pair| pair.trim() == "keys=off")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_choice_comes_back_with_the_next_request() {
        for keys in ["on", "off"] {
            let choice = KeysChoice { keys: keys.to_owned(), back: Some("/requests?q=a".to_owned()) };
            let answer = choose_keys(Ok(Form(choice))).await;
            assert_eq!(answer.headers()[LOCATION], "/requests?q=a");
            let cookie = answer.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
            let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(&format!("a=b; {cookie}")).unwrap())]);
            assert_eq!(are_keys_on(&headers), keys == "on");
        }
        assert!(are_keys_on(&HeaderMap::new()));
    }
}
