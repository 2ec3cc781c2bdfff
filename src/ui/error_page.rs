//! Errors as a person sees them: a whole page, or a notice within one.

use std::fmt::Write as _;

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    errors::AppError,
    icon::Mark,
    identifier::Identifier,
    islands::{CopyOnClick, LocalTimes},
    notice::{Notice, NoticeKind},
    timestamp::{TimeStyle, Timestamp},
};

/// A page that could not be shown: what happened, what was not lost, the reference and the time, what to do.
///
/// `retry` is where 'Try again' leads: the address that was asked for, path and query. It has no navigation, since who
/// is asking may be just what is not known. Place it instead of [`super::Layout`].
///
/// ```text
/// view! { <ErrorPage error=AppError::NotFound at=now retry="/requests/7"/> }
/// ```
#[component]
pub fn ErrorPage(error: AppError, at: OffsetDateTime, #[prop(into)] retry: String) -> AnyView {
    let title = match error {
        AppError::Unexpected { .. } | AppError::Unavailable { .. } => "This page could not be loaded",
        _ => error.title(),
    };
    let next_step = error.next_step();
    let action = if error.needs_sign_in() {
        view! { <a class="btn btn-primary" href=sign_in_href(retry)>"Sign in again"</a> }.into_any()
    } else if matches!(error, AppError::NotFound | AppError::Forbidden) {
        ().into_any()
    } else {
        view! { <a class="btn btn-primary" href=retry>"Try again"</a> }.into_any()
    };
    let reference = error.reference().map(|number| {
        view! {
            <dt>"Reference"</dt>
            <dd><Identifier what="reference number" value=number/></dd>
        }
    });
    view! {
        <a class="skip" href="#main">"Skip to content"</a>
        <main id="main" class="error-main" tabindex="-1">
            <div class="error-page">
                <p class="signin-brand"><Mark/><b>"Liteboard"</b></p>
                <h1>{title}</h1>
                <p class="what">{error.into_text()}</p>
                <dl class="ref">
                    {reference}
                    <dt>"Time"</dt>
                    <dd><Timestamp at=at now=at style=TimeStyle::Full/></dd>
                </dl>
                <div class="row">
                    {action}
                    <a class="btn" href="/businesses">"Go to Businesses"</a>
                </div>
                <p class="hint">{next_step}</p>
            </div>
        </main>
        <CopyOnClick/>
        <LocalTimes/>
    }
    .into_any()
}

/// An error within a page, above the form or list it is about.
///
/// ```text
/// view! { {error.map(|error| view! { <ErrorNotice error=error/> })} }
/// ```
#[component]
pub fn ErrorNotice(
    error: AppError,
    /// Where signing in again comes back to: the address of this page, path and query.
    #[prop(default = "/".to_owned(), into)]
    back: String,
) -> AnyView {
    let (title, next_step) = (error.title(), error.next_step());
    let actions = error
        .needs_sign_in()
        .then(|| view! { <a class="btn btn-sm" href=sign_in_href(back)>"Sign in again"</a> }.into_any());
    let reference = error.reference().map(|number| {
        view! { <p>"Reference "<Identifier what="reference number" value=number/></p> }
    });
    view! {
        <Notice kind=NoticeKind::Error title=title actions=actions alert=true>
            <p>{error.into_text()}" "{next_step}</p>
            {reference}
        </Notice>
    }
    .into_any()
}

/// The sign-in page's address that leads back to `back`: a path and query of this site.
fn sign_in_href(back: String) -> String {
    let mut href = "/sign-in?return_to=".to_owned();
    for byte in back.into_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            href.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(href, "%{byte:02X}");
        }
    }
    href
}

#[cfg(test)]
mod tests {
    use super::sign_in_href;

    #[test]
    fn signing_in_again_leads_back_to_the_same_search() {
        assert_eq!(
            sign_in_href("/businesses?q=açaí&state=ready".into()),
            "/sign-in?return_to=/businesses%3Fq%3Da%C3%A7a%C3%AD%26state%3Dready"
        );
    }
}
