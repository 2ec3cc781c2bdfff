//! In place of the list before anything was read: three steps, the done ones ticked.

use leptos::prelude::*;

use super::sync_line::SyncButton;
use crate::{
    sign_in::{Viewer, way_to_new_token},
    ui::{Glyph, Icon, Identifier, Name},
};

/// The three steps. `running`: the first sync is under way. `here`: where signing in again leads back to.
pub fn first_run(viewer: Viewer, running: bool, here: &str) -> AnyView {
    let token_works = viewer.token_problem.is_none();
    let token = if token_works {
        step(None, true, "Access given", view! { <p>"Meta confirmed the WhatsApp permissions. The token is kept encrypted and never reaches a browser."</p> }.into_any())
    } else {
        let href = way_to_new_token(here);
        let words = view! { <p>"Meta no longer accepts the access you gave."</p><div class="row"><a class="btn btn-primary" href=href>"Sign in again"</a></div> };
        step(Some("2"), true, "Give access again", words.into_any())
    };
    let read = view! {
        <p>"We list every WABA shared with you and group them by business. About a minute for 1,000 WABAs. Nothing is sent to anyone."</p>
        {match (running, token_works) {
            (true, _) => view! { <p><b>"Reading now. Businesses appear here as they come in."</b></p> }.into_any(),
            (false, true) => view! { <div class="row"><SyncButton word="Sync from Meta" primary=true/></div> }.into_any(),
            (false, false) => ().into_any(),
        }}
    };
    view! {
        <section class="start" aria-labelledby="first-run">
            <h2 id="first-run">"Three steps until your first request"</h2>
            <p class="muted">"Liteboard reads your clients from Meta. You do not type them in."</p>
            <ol class="start-steps">
                {step(None, true, "Signed in with Facebook", view! {
                    <p>"As "<Name name=viewer.name/>", for "<Name name=viewer.partner_name/>" "<Identifier what="partner business ID" value=viewer.partner.to_string()/></p>
                }.into_any())}
                {token}
                {step(Some("3"), token_works, "Read your clients from Meta", read.into_any())}
            </ol>
        </section>
    }
    .into_any()
}

/// A step that is done has no number, but a tick.
fn step(number: Option<&'static str>, current: bool, title: &'static str, text: AnyView) -> AnyView {
    let (class, mark) = match number {
        None => ("is-done", view! { <Icon glyph=Glyph::Check/><span class="vh">"Done"</span> }.into_any()),
        Some(number) => ("", number.into_any()),
    };
    let current = (number.is_some() && current).then_some("step");
    view! {
        <li class=class aria-current=current><span class="start-n">{mark}</span><div><h3>{title}</h3>{text}</div></li>
    }
    .into_any()
}
