//! The menu beside a list's search, and the page on which views are changed.

use leptos::prelude::*;

use super::{
    model::{LONGEST_NAME, Place, SavedView, lasting},
    store,
};
use crate::{
    db::TenantTx,
    sign_in::{Page, Role, Visit},
    telemetry::mishap,
    ui::{AppError, Empty, ErrorNotice, Glyph, Icon, Name, PageHead},
};

/// The menu 'Saved views': links, and a form that saves the search on the page.
///
/// # Errors
/// When Postgres is away.
pub async fn views_menu(tx: &mut TenantTx, visit: &Visit, place: Place) -> sqlx::Result<AnyView> {
    let views = store::views_of(tx, visit.viewer.member_id, Some(place)).await?;
    let (here, unsent) = (visit.path_and_query(), |field| visit.unsent("/views/save", field));
    let name = if lasting(&here).is_empty() { None } else { unsent("name") };
    let typed = name.map(|name| (name, unsent("shared").is_some()));
    Ok(menu(views, visit.viewer.member_id, &here, typed))
}

/// `typed`: the name and whether to share, where the form didn't go through before.
fn menu(views: Vec<SavedView>, member: i64, here: &str, typed: Option<(String, bool)>) -> AnyView {
    let query = lasting(here);
    let (own, shared): (Vec<_>, Vec<_>) = views.into_iter().partition(|view| view.member_id == member);
    let group = |title: &'static str, views: Vec<SavedView>| {
        (!views.is_empty()).then(|| {
            let links = views.into_iter().map(|view| link(&view, member, &query)).collect_view();
            view! { <p class="menu-head">{title}</p><ul>{links}</ul> }
        })
    };
    let none = (own.is_empty() && shared.is_empty())
        .then(|| view! { <p class="menu-head">"No view is saved yet. Search, then save the search under a name."</p> });
    let manage = (!(own.is_empty() && shared.is_empty()))
        .then(|| view! { <a class="opt" href="/views">"Rename, share or delete…"</a> });
    let groups = (group("Yours", own), group("Shared", shared));
    let open = typed.is_some();
    let (name, is_shared) = typed.unwrap_or_default();
    let save = (!query.is_empty()).then(|| {
        view! {
            <form class="menu-form" method="post" action="/views/save">
                <input type="hidden" name="back" value=here.to_owned()/>
                <label class="hint" for="view-name">"Save this search as"</label>
                <input class="input" id="view-name" name="name" value=name required=true maxlength=LONGEST_NAME.to_string() autocomplete="off"/>
                <label class="tick"><input class="check" type="checkbox" name="shared" value="yes" checked=is_shared/>"Share with the workspace"</label>
                <button class="btn btn-sm" type="submit">"Save view"</button>
            </form>
        }
    });
    view! {
        <details class="views" name="menu" open=open>
            <summary class="btn">"Saved views"<Icon glyph=Glyph::Down/></summary>
            <div class="menu">{none}{groups}{save}{manage}</div>
        </details>
    }
    .into_any()
}

fn link(view: &SavedView, member: i64, shown: &str) -> AnyView {
    let current = (view.query == shown).then_some("true");
    let by = (view.member_id != member).then(|| by_whom(view));
    view! { <li><a class="opt" href=view.href() aria-current=current><Name name=view.name.clone()/>{by}</a></li> }
        .into_any()
}

/// Whose view it is, and whether they are still here.
fn by_whom(view: &SavedView) -> AnyView {
    let gone = view.member_left.then_some(", no longer a member");
    view! { <span class="hint">"by "<Name name=view.member_name.clone()/>{gone}</span> }.into_any()
}

/// `/views`.
///
/// # Errors
/// When Postgres is away.
pub async fn views_page(visit: Visit) -> Result<Page, AppError> {
    let mut tx = visit.tenant().await?;
    let mut views = store::views_of(&mut tx, visit.viewer.member_id, None).await.map_err(mishap)?;
    let unsent = |field| visit.unsent("/views/change", field);
    let id = visit.look_at_unsent("/views/change", "view").into_iter().next();
    if let Some(changed) = views.iter_mut().find(|view| id.as_ref() == Some(&view.id.to_string()))
        && let Some(name) = unsent("name")
    {
        (changed.name, changed.shared) = (name, unsent("shared").is_some());
    }
    let problem = visit.problem().map(|error| view! { <ErrorNotice error=error/> });
    let (member, admin) = (visit.viewer.member_id, visit.viewer.role == Role::Admin);
    let list = if views.is_empty() {
        let actions = view! { <a class="btn" href="/requests">"Go to Requests"</a> };
        view! { <Empty title="No view is saved yet" actions=actions.into_any()><p>"Search requests or businesses, then save the search under a name."</p></Empty> }
            .into_any()
    } else {
        let rows = views.into_iter().map(|view| row(&view, member, admin)).collect_view();
        view! {
            <section class="list" aria-label="Saved views">
                <table class="table cards saved-views" role="table">
                    <caption class="vh">"Saved views, yours first"</caption>
                    <thead role="rowgroup"><tr role="row">
                        <th role="columnheader" scope="col">"View"</th>
                        <th role="columnheader" scope="col">"Page"</th>
                        <th role="columnheader" scope="col">"By"</th>
                        <th role="columnheader" scope="col">"Change"</th>
                    </tr></thead>
                    <tbody role="rowgroup">{rows}</tbody>
                </table>
            </section>
        }
        .into_any()
    };
    let view = view! {
        <PageHead title="Saved views"><span>"Searches kept under a name. A shared one is seen by everybody of the workspace."</span></PageHead>
        {problem}
        {list}
    };
    Ok(Page { title: "Saved views".to_owned(), view: view.into_any() })
}

fn row(saved: &SavedView, member: i64, admin: bool) -> AnyView {
    let own = saved.member_id == member;
    let id = saved.id.to_string();
    let by = if own { view! { "You"{saved.shared.then_some(", shared")} }.into_any() } else { by_whom(saved) };
    let rename = own.then(|| {
        let (label, field) = (format!("Name of {}", saved.name), format!("name-{id}"));
        view! {
            <form class="view-form" method="post" action="/views/change">
                <input type="hidden" name="view" value=id.clone()/>
                <label class="vh" for=field.clone()>{label}</label>
                <input class="input" id=field name="name" value=saved.name.clone() required=true maxlength=LONGEST_NAME.to_string() autocomplete="off"/>
                <label class="tick"><input class="check" type="checkbox" name="shared" value="yes" checked=saved.shared/>"Shared"</label>
                <button class="btn btn-sm" type="submit">"Save"</button>
            </form>
        }
    });
    let delete = (own || admin).then(|| {
        let label = format!("Delete {}", saved.name);
        view! {
            <form method="post" action="/views/delete">
                <input type="hidden" name="view" value=id.clone()/>
                <button class="btn btn-sm btn-danger" type="submit" aria-label=label>"Delete"</button>
            </form>
        }
    });
    view! {
        <tr role="row">
            <th role="rowheader" scope="row" class="c-name"><a class="name" href=saved.href()><Name name=saved.name.clone()/></a></th>
            <td role="cell" data-label="Page">{saved.place.word()}</td>
            <td role="cell" data-label="By">{by}</td>
            <td role="cell" data-label="Change" class="c-change"><div class="actions">{rename}{delete}</div></td>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(view: impl FnOnce() -> AnyView) -> String {
        Owner::new().with(|| view().to_html()).replace("<!>", "")
    }

    fn saved(member_id: i64, member_left: bool) -> SavedView {
        SavedView {
            id: 7,
            place: Place::Requests,
            name: "<b>Failures</b>".into(),
            query: "q=is%3Afailed".into(),
            shared: true,
            member_id,
            member_name: "Rahul Mehta".into(),
            member_left,
        }
    }

    #[test]
    fn a_view_says_who_saved_it_and_when_they_have_left() {
        let menu = html(|| menu(vec![saved(1, false), saved(2, true)], 1, "/requests?q=is%3Afailed&before=LB-7", None));
        assert!(menu.contains("&lt;b>Failures") || menu.contains("&lt;b&gt;Failures"), "{menu}");
        assert!(menu.contains("Rahul Mehta") && menu.contains(", no longer a member"), "{menu}");
        assert_eq!(menu.matches("aria-current=\"true\"").count(), 2, "the page of the list is no part of a view");
    }

    #[test]
    fn only_its_member_renames_a_view_and_only_they_and_admins_delete_it() {
        for (own, admin, renames, deletes) in [(true, false, 1, 1), (false, true, 0, 1), (false, false, 0, 0)] {
            let row = html(|| row(&saved(1, false), if own { 1 } else { 2 }, admin));
            let count = |door: &str| row.matches(door).count();
            assert_eq!((count("/views/change"), count("/views/delete")), (renames, deletes), "{own} {admin}");
        }
    }
}
