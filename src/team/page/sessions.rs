//! A list of sessions: which browser, from where, since when, and a way to end each.

use leptos::prelude::*;
use time::OffsetDateTime;

use crate::{
    sign_in::{OpenSession, SessionMark, Whence},
    ui::{Glyph, Icon, TimeStyle, Timestamp},
};

/// The viewer's own, and whether there is another than the one that asks.
pub fn own_sessions(sessions: &[OpenSession], this: Option<&SessionMark>, now: OffsetDateTime) -> (AnyView, bool) {
    let others = sessions.iter().any(|session| Some(&session.mark) != this);
    (list(sessions, this, None, now), others)
}

/// A colleague's.
pub fn sessions_of(sessions: &[OpenSession], member: i64, now: OffsetDateTime) -> AnyView {
    if sessions.is_empty() {
        return view! { <p class="muted sm">"None is open."</p> }.into_any();
    }
    list(sessions, None, Some(member), now)
}

fn list(sessions: &[OpenSession], this: Option<&SessionMark>, member: Option<i64>, now: OffsetDateTime) -> AnyView {
    let items = sessions.iter().map(|session| item(session, this, member, now)).collect_view();
    view! { <ul class="sessions">{items}</ul> }.into_any()
}

fn item(session: &OpenSession, this: Option<&SessionMark>, member: Option<i64>, now: OffsetDateTime) -> AnyView {
    let device = device(&session.whence);
    let glyph =
        if ["iPhone", "Android"].iter().any(|phone| device.contains(phone)) { Glyph::Phone } else { Glyph::Monitor };
    let address = session.whence.address.map_or_else(|| "Address unknown".to_owned(), |address| address.to_string());
    let (began_at, used_at) = (session.began_at, session.used_at);
    let end = if Some(&session.mark) == this {
        view! { <span class="muted">"This session"</span> }.into_any()
    } else {
        let label = format!("End session: {device}");
        view! {
            <span class="muted">"Used "<Timestamp at=used_at now=now style=TimeStyle::Minute/></span>
            <form method="post" action="/settings/end-session">
                {member.map(|id| view! { <input type="hidden" name="member" value=id.to_string()/> })}
                <input type="hidden" name="session" value=session.number.to_string()/>
                <button class="btn btn-sm" type="submit" aria-label=label>"End"</button>
            </form>
        }
        .into_any()
    };
    let agent = session.whence.agent.clone();
    view! {
        <li>
            <Icon glyph=glyph/>
            <div>
                <b title=agent>{device}</b>
                <span class="muted">{address}", since "<Timestamp at=began_at now=now style=TimeStyle::Minute/></span>
            </div>
            {end}
        </li>
    }
    .into_any()
}

/// A browser in words.
pub fn device(whence: &Whence) -> String {
    whence.device().unwrap_or_else(|| "Unknown browser".to_owned())
}
