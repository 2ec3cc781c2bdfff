//! Choosing who looks after a business; and `/assign`, where that is chosen for all that are ticked.

use leptos::prelude::*;

use super::{
    Manager,
    store::{self, Colleague},
};
use crate::{
    businesses::query::PATH,
    sign_in::{Page, Visit},
    telemetry::mishap,
    ui::{AppError, Breadcrumbs, Choice, Empty, ErrorNotice, Panel, Select, grouped, plural},
};

/// A native select of members that sends `manager`: their number, or `none`.
#[component]
pub fn ManagerSelect(
    colleagues: Vec<Colleague>,
    /// Who it is now; nobody is chosen where it's nobody.
    #[prop(default = None)]
    chosen: Option<Colleague>,
    label: &'static str,
    #[prop(optional)] hint: Option<&'static str>,
) -> AnyView {
    let choices = choices(colleagues, chosen);
    match hint {
        Some(hint) => view! { <Select id="manager" name="manager" label=label choices=choices hint=hint/> }.into_any(),
        None => view! { <Select id="manager" name="manager" label=label choices=choices/> }.into_any(),
    }
}

/// One who was removed since stays in the list of what they look after, so that looking at a form changes nothing.
fn choices(colleagues: Vec<Colleague>, chosen: Option<Colleague>) -> Vec<Choice> {
    let is_there = chosen.as_ref().is_none_or(|chosen| colleagues.contains(chosen));
    let on = chosen.as_ref().map(|chosen| chosen.member_id);
    let nobody = Choice {
        value: Manager::NOBODY.to_owned(),
        word: "Nobody".to_owned(),
        selected: on.is_none(),
        disabled: false,
    };
    let removed = chosen.filter(|_| !is_there).map(|removed| Choice {
        value: removed.member_id.to_string(),
        word: format!("{} (no longer a member)", removed.name),
        selected: true,
        disabled: true,
    });
    let members = colleagues.into_iter().map(|colleague| Choice {
        value: colleague.member_id.to_string(),
        word: colleague.name,
        selected: on == Some(colleague.member_id),
        disabled: false,
    });
    std::iter::once(nobody).chain(removed).chain(members).collect()
}

/// `/assign`.
///
/// # Errors
/// [`AppError::Forbidden`] for those who only look.
pub async fn assign_page(visit: Visit) -> Result<Page, AppError> {
    if !visit.viewer.role.may_onboard() {
        return Err(AppError::Forbidden);
    }
    let mut tx = visit.tenant().await?;
    let (selected, managed) = store::selected_managed(&mut tx, visit.viewer.member_id).await.map_err(mishap)?;
    let colleagues = store::colleagues(&mut tx).await.map_err(mishap)?;
    drop(tx);
    let problem = visit.problem().map(|error| view! { <ErrorNotice error=error/> });
    let body = if selected == 0 { nothing() } else { form(selected, managed, colleagues) };
    let view = view! {
        <Breadcrumbs above=vec![("Businesses", PATH.to_owned())] here="Assign"/>
        <div class="page-head">
            <div>
                <div class="title"><h1>"Assign businesses"</h1></div>
                <p class="page-sub"><span>"Nothing is sent to Meta, and nobody is e-mailed"</span></p>
            </div>
        </div>
        {problem}
        {body}
    };
    Ok(Page { title: "Assign businesses".to_owned(), view: view.into_any() })
}

fn nothing() -> AnyView {
    let actions = view! { <a class="btn btn-primary" href=PATH>"Go to Businesses"</a> };
    view! { <Empty title="Nothing is selected" actions=actions.into_any()><p>"Tick the businesses to assign first."</p></Empty> }
        .into_any()
}

fn form(selected: u64, managed: u64, colleagues: Vec<Colleague>) -> AnyView {
    let businesses = plural(selected, "business", "businesses");
    let replaced = match managed {
        0 => "None of them has a manager now.".to_owned(),
        1 => "One of them has a manager now, who is replaced.".to_owned(),
        some => format!("{} of them have a manager now, who is replaced.", grouped(some)),
    };
    view! {
        <Panel named_by="assign">
            <form class="panel-body stack" method="post" action="/businesses/assign_selected">
                <h2 id="assign">{format!("Who looks after {businesses}?")}</h2>
                <p class="sm">{replaced}" Each business notes the change in its timeline."</p>
                <div class="narrow"><ManagerSelect colleagues=colleagues label="Manager"/></div>
                <div class="row">
                    <button class="btn btn-primary" type="submit">{format!("Assign {businesses}")}</button>
                    <a class="btn btn-quiet" href=PATH>"Keep selecting"</a>
                </div>
            </form>
        </Panel>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colleague(member_id: i64, name: &str) -> Colleague {
        Colleague { member_id, name: name.to_owned() }
    }

    #[test]
    fn who_looks_after_it_is_chosen_and_one_who_left_can_not_be_chosen_anew() {
        let team = vec![colleague(1, "Ines"), colleague(2, "Rahul")];
        for (chosen, on, words) in [
            (None, "none", &["Nobody", "Ines", "Rahul"][..]),
            (Some(colleague(2, "Rahul")), "2", &["Nobody", "Ines", "Rahul"]),
            (Some(colleague(9, "Jonas")), "9", &["Nobody", "Jonas (no longer a member)", "Ines", "Rahul"]),
        ] {
            let choices = choices(team.clone(), chosen);
            let selected: Vec<&str> =
                choices.iter().filter(|choice| choice.selected).map(|choice| choice.value.as_str()).collect();
            assert_eq!(selected, [on]);
            assert_eq!(choices.iter().map(|choice| choice.word.as_str()).collect::<Vec<_>>(), words);
            assert!(choices.iter().all(|choice| choice.disabled == (choice.value == "9")));
        }
    }
}
