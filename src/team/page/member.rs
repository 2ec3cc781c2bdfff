//! `/settings/members/{id}`: one member for an admin: role, sessions, and the way off the team or back.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    super::{model::Member, store},
    notices::told,
    part,
    sessions::sessions_of,
    team::{last_seen, role_options},
};
use crate::{
    sign_in::{self, OpenSession, Page, Role, Visit},
    telemetry::mishap,
    ui::{AppError, Breadcrumbs, Glyph, Icon, PageHead, Separator, TimeStyle, Timestamp, isolated},
};

/// The page, for admins.
///
/// # Errors
/// [`AppError::Forbidden`] for other roles, [`AppError::NotFound`] for who is no member of the partner, Postgres being away.
pub async fn member_page(visit: Visit) -> Result<Page, AppError> {
    if visit.viewer.role != Role::Admin {
        return Err(AppError::Forbidden);
    }
    let id: i64 = visit.param("member").and_then(|id| id.parse().ok()).ok_or(AppError::NotFound)?;
    let now = visit.clock.now();
    let mut tx = visit.tenant().await?;
    let member = store::find_member(&mut tx, id).await.map_err(mishap)?.ok_or(AppError::NotFound)?;
    drop(tx);
    let sessions = sign_in::open_sessions(&visit.db, id, now).await.map_err(mishap)?;
    let notice = told(&visit, false, "/settings");
    let is_you = id == visit.viewer.member_id;
    let title = isolated(&member.name);
    let (name, seen, joined_at) = (member.name.clone(), last_seen(&member, now), member.joined_at);
    let standing = if member.removed_at.is_some() { "Removed" } else { member.role.word() };
    let log = format!("/settings/audit?member={id}");
    let parts = if member.removed_at.is_some() {
        back_part(&member, now)
    } else {
        member_parts(&member, &sessions, is_you, now)
    };
    let theirs = format!("/businesses?manager={id}");
    let actions =
        view! { <a class="btn" href=theirs>"Their businesses"</a><a class="btn" href=log>"What they did"</a> };
    let view = view! {
        <Breadcrumbs above=vec![("Settings", "/settings#team".to_owned())] here=name.clone()/>
        <PageHead title=name actions=actions.into_any()>
            <span>{standing}</span>
            <Separator/>
            <span>"Joined "<Timestamp at=joined_at now=now style=TimeStyle::Day/></span>
            <Separator/>
            <span>"Last seen: "{seen}</span>
        </PageHead>
        {notice}
        {parts}
    };
    Ok(Page { title, view: view.into_any() })
}

fn member_parts(member: &Member, sessions: &[OpenSession], is_you: bool, now: OffsetDateTime) -> AnyView {
    let id = member.id;
    let end_all = (!sessions.is_empty()).then(|| {
        view! {
            <form method="post" action="/settings/end-sessions">
                <input type="hidden" name="member" value=id.to_string()/>
                <button class="btn btn-danger" type="submit">{if is_you { "End all others" } else { "End all" }}</button>
            </form>
        }
        .into_any()
    });
    let about = "Ending one signs that browser out at once; what was sent from it goes on. They can sign in again.";
    view! {
        {role_part(member)}
        {part("sessions", "Sessions", about.into_any(), end_all, sessions_of(sessions, id, now))}
        {removal_part(member, is_you)}
    }
    .into_any()
}

fn role_part(member: &Member) -> AnyView {
    if member.is_last_admin {
        let text = "They are the only admin who has signed in, and stay it until another member is one.";
        return part("role", "Role", text.into_any(), None, ().into_any());
    }
    let form = view! {
        <form class="role-form" method="post" action="/settings/change-role">
            <input type="hidden" name="member" value=member.id.to_string()/>
            <span class="pick-one">
                <select class="select" name="role" aria-label="Role">{role_options(member.role)}</select>
                <Icon glyph=Glyph::Down/>
            </span>
            <button class="btn" type="submit">"Change role"</button>
        </form>
    };
    let about = "It holds from their next click on. Batches they started go on, also when they become Support.";
    part("role", "Role", about.into_any(), None, form.into_any())
}

fn removal_part(member: &Member, is_you: bool) -> AnyView {
    if member.is_last_admin {
        return ().into_any();
    }
    let button = if is_you { "Remove yourself" } else { "Remove from the team" };
    let form = view! {
        <form method="post" action="/settings/remove-member">
            <input type="hidden" name="member" value=member.id.to_string()/>
            <button class="btn btn-danger" type="submit">{button}</button>
        </form>
    };
    let about = "All their sessions end at once, their token is used no more, and they cannot sign in until an admin lets them back. Requests and batches they started go on with the system user’s token, or that of another member who may send, and keep their name.";
    part("removal", "Off the team", about.into_any(), None, form.into_any())
}

fn back_part(member: &Member, now: OffsetDateTime) -> AnyView {
    let at = member.removed_at.map(|at| view! { <Timestamp at=at now=now style=TimeStyle::Minute/> });
    let about =
        view! { "Removed "{at}". Let back in they can sign in again, as Support until you give them another role." };
    let form = view! {
        <form method="post" action="/settings/let-back-in">
            <input type="hidden" name="member" value=member.id.to_string()/>
            <button class="btn" type="submit">"Let back in"</button>
        </form>
    };
    part("removal", "Off the team", about.into_any(), None, form.into_any())
}
