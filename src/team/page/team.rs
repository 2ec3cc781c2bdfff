//! The section 'Team': everybody with their role, and how somebody joins.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    super::model::{Deployment, Member},
    part,
};
use crate::{
    sign_in::{Role, Viewer},
    ui::{Glyph, Icon, Identifier, Name, TimeStyle, Timestamp, initials},
};

/// The section; admins only.
pub fn team_part(members: Vec<Member>, viewer: &Viewer, deployment: &Deployment, now: OffsetDateTime) -> AnyView {
    let rows = members.into_iter().map(|member| table_row(member, viewer.member_id, now)).collect_view();
    let about = "People join by signing in with Facebook. You decide their role, which holds from their next click on.";
    let body = view! {
        <div class="list">
            <table class="table cards" role="table">
                <caption class="vh">"Team members and roles"</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">"Name"</th>
                        <th role="columnheader" scope="col" class="c-joined">"Joined"</th>
                        <th role="columnheader" scope="col">"Role"</th>
                        <th role="columnheader" scope="col">"Last seen"</th>
                        <th role="columnheader" scope="col"><span class="vh">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </div>
        <dl class="roles">
            <div><dt>"Admin"</dt><dd>"everything, and this page"</dd></div>
            <div><dt>"Account manager"</dt><dd>"sends, retries and cancels requests"</dd></div>
            <div><dt>"Support"</dt><dd>"reads everything, changes nothing"</dd></div>
        </dl>
        {invitation(viewer, deployment)}
    };
    part("team", "Team", about.into_any(), None, body.into_any())
}

fn table_row(member: Member, you: i64, now: OffsetDateTime) -> AnyView {
    let is_you = (member.id == you).then(|| view! { " "<span class="muted">"(you)"</span> });
    let seen = last_seen(&member, now);
    let href = format!("/settings/members/{}", member.id);
    let more = format!("More for {}", member.name);
    let role = role_cell(&member, now);
    let (initials, joined_at) = (initials(&member.name), member.joined_at);
    view! {
        <tr role="row">
            <th role="rowheader" scope="row">
                <span class="person">
                    <span class="avatar" aria-hidden="true">{initials}</span>
                    <span><span class="name"><Name name=member.name/></span>{is_you}</span>
                </span>
            </th>
            <td role="cell" data-label="Joined" class="c-joined muted nowrap"><Timestamp at=joined_at now=now style=TimeStyle::Day/></td>
            <td role="cell" data-label="Role">{role}</td>
            <td role="cell" data-label="Last seen" class="muted nowrap">{seen}</td>
            <td role="cell" class="act">
                <a class="icon-btn" href=href aria-label=more><Icon glyph=Glyph::Dots/></a>
            </td>
        </tr>
    }
    .into_any()
}

fn role_cell(member: &Member, now: OffsetDateTime) -> AnyView {
    if let Some(at) = member.removed_at {
        return view! { <span class="muted">"Removed "<Timestamp at=at now=now style=TimeStyle::Day/></span> }
            .into_any();
    }
    if member.is_last_admin {
        return view! { <span>"Admin "<span class="muted">"(the only one)"</span></span> }.into_any();
    }
    let label = format!("Role of {}", member.name);
    let of = format!(" role of {}", member.name);
    view! {
        <form class="role-form" method="post" action="/settings/change-role">
            <input type="hidden" name="member" value=member.id.to_string()/>
            <span class="pick-one">
                <select class="select select-sm" name="role" aria-label=label>{role_options(member.role)}</select>
                <Icon glyph=Glyph::Down/>
            </span>
            <button class="btn btn-sm" type="submit">"Change"<span class="vh">{of}</span></button>
        </form>
    }
    .into_any()
}

/// Every role, the member's chosen.
pub fn role_options(current: Role) -> AnyView {
    Role::ALL
        .into_iter()
        .map(|role| view! { <option value=role.as_str() selected=role == current>{role.word()}</option> })
        .collect_view()
        .into_any()
}

/// When a member last used Liteboard.
pub fn last_seen(member: &Member, now: OffsetDateTime) -> AnyView {
    match member.seen_at {
        None => "Not yet".into_any(),
        // It's noted to the minute.
        Some(at) if now - at < time::Duration::minutes(2) => "Now".into_any(),
        Some(at) => view! { <Timestamp at=at now=now style=TimeStyle::Minute/> }.into_any(),
    }
}

fn invitation(viewer: &Viewer, deployment: &Deployment) -> AnyView {
    let (partner, address) = (viewer.partner_name.clone(), deployment.address("/sign-in"));
    view! {
        <details class="disclose invite">
            <summary><Icon glyph=Glyph::Right/>"Invite somebody"</summary>
            <p>
                "Send them this address: "<Identifier what="address" value=address mono=true/>" Whoever has access to "
                <Name name=partner/>
                " and its WhatsApp accounts in the business settings at Meta can sign in there. They join as Support, which sends nothing, and are listed here for you to give them another role."
            </p>
        </details>
    }
    .into_any()
}
