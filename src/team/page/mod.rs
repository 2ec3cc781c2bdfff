//! The pages: the settings as a whole, one member, and the audit log.

mod audit;
mod member;
mod notices;
mod sessions;
mod settings;
mod team;
mod you;

use leptos::prelude::*;

pub use self::{audit::audit_page, member::member_page, settings::settings_page};

/// A section that an address can lead to, with a line about it and what can be done at the end of its heading.
fn part(id: &'static str, title: &'static str, about: AnyView, act: Option<AnyView>, children: AnyView) -> AnyView {
    let heading = format!("{id}-heading");
    let named_by = heading.clone();
    let act = act.map(|act| view! { <div class="actions">{act}</div> });
    view! {
        <section class="section" id=id aria-labelledby=named_by>
            <div class="section-head"><div><h2 id=heading>{title}</h2><p>{about}</p></div>{act}</div>
            {children}
        </section>
    }
    .into_any()
}
