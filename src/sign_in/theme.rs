//! The theme a browser asked for: a cookie, not a member's setting, so that the sign-in page has it, too.

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
use crate::ui::Theme;

/// The form behind the theme's buttons.
#[derive(Debug, Default, Deserialize)]
pub struct ThemeChoice {
    #[serde(default)]
    theme: String,
    back: Option<String>,
}

/// `POST /theme` with `theme` (`system`, `light`, `dark`) and `back`: keeps the choice for a year and leads back.
pub async fn choose_theme(form: Result<Form<ThemeChoice>, FormRejection>) -> Response {
    let ThemeChoice { theme, back } = form.map(|Form(choice)| choice).unwrap_or_default();
    let cookie = match Theme::from_key(&theme) {
        Theme::System => HeaderValue::from_static("theme=; Max-Age=0; Path=/; SameSite=Lax"),
        Theme::Light => HeaderValue::from_static("theme=light; Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax"),
        Theme::Dark => HeaderValue::from_static("theme=dark; Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax"),
    };
    let location = ReturnTo::from_untrusted(back.as_deref()).header();
    (StatusCode::SEE_OTHER, [(LOCATION, location), (SET_COOKIE, cookie)]).into_response()
}

/// The theme of the browser that sent these headers.
pub fn theme_of(headers: &HeaderMap) -> Theme {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix("theme="))
        .map(Theme::from_key)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_chosen_theme_comes_back_with_the_next_request() {
        for (theme, _) in Theme::ALL {
            let choice = ThemeChoice { theme: theme.key().to_owned(), back: Some("/requests?is=failed".to_owned()) };
            let answer = choose_theme(Ok(Form(choice))).await;
            assert_eq!(answer.headers()[LOCATION], "/requests?is=failed");
            let cookie = answer.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
            let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(&format!("a=b; {cookie}")).unwrap())]);
            assert_eq!(theme_of(&headers), theme);
        }
    }
}
