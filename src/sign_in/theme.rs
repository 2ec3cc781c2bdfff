//! The theme a browser asked for, and the zone it is in: cookies, not a member's settings, so that the sign-in page has them, too.

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
use crate::ui::{Theme, ViewerZone};

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
    cookie_of(headers, "theme").map(Theme::from_key).unwrap_or_default()
}

/// The zone of the browser that sent these headers, which its script keeps in a cookie.
pub fn zone_of(headers: &HeaderMap) -> Option<ViewerZone> {
    cookie_of(headers, ViewerZone::COOKIE).and_then(ViewerZone::from_cookie)
}

fn cookie_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
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

    #[test]
    fn a_zone_is_found_among_other_cookies() {
        let zone = |line: &'static str| {
            zone_of(&HeaderMap::from_iter([(COOKIE, HeaderValue::from_static(line))]))
                .map(|zone| zone.0.whole_minutes())
        };
        assert_eq!(zone("theme=dark; zone=-180"), Some(-180));
        for none in ["", "zone=", "zone=<b>", "timezone=60", "zones=60"] {
            assert_eq!(zone(none), None, "{none}");
        }
    }
}
