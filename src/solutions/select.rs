//! The select box: 'No solution' first and chosen, what can't be used greyed with the reason in words.

use leptos::prelude::*;

use super::model::Solution;
use crate::ui::{Choice, Select};

/// A native select named 'Solution' that sends `solution_id`, empty for none.
///
/// `chosen` is what was chosen before, where a form is shown again; `error` is what is wrong with it.
#[component]
pub fn SolutionSelect(
    offered: Vec<Solution>,
    #[prop(default = None)] chosen: Option<String>,
    #[prop(default = None)] error: Option<String>,
) -> AnyView {
    view! {
        <Select id="solution" name="solution_id" label="Solution" choices=choices(offered, chosen)
            hint="Optional. Links the request to a multi-partner solution." error=error/>
    }
    .into_any()
}

fn choices(offered: Vec<Solution>, chosen: Option<String>) -> Vec<Choice> {
    let usable = |id: &str| offered.iter().any(|solution| solution.usable.is_ok() && solution.id.as_str() == id);
    let chosen = chosen.filter(|id| usable(id));
    let none = Choice { word: "No solution".to_owned(), selected: chosen.is_none(), ..Choice::default() };
    let others = offered.into_iter().map(|solution| Choice {
        word: solution.label(),
        selected: chosen.as_deref() == Some(solution.id.as_str()),
        disabled: solution.usable.is_err(),
        value: solution.id.to_string(),
    });
    std::iter::once(none).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::model::{Role, Unusable},
        *,
    };

    fn solution(id: &str, usable: Result<(), Unusable>) -> Solution {
        Solution { id: id.parse().unwrap(), name: format!("S{id}"), role: Role::Owner, usable, ending: false }
    }

    #[test]
    fn none_is_the_default_and_what_cant_be_used_is_greyed_with_its_reason() {
        let offered = [solution("1", Ok(())), solution("2", Err(Unusable::Deactivated))];
        for (chosen, selected) in [(None, ""), (Some("1"), "1"), (Some("2"), ""), (Some("77"), "")] {
            let choices = choices(offered.to_vec(), chosen.map(str::to_owned));
            let on: Vec<_> =
                choices.iter().filter(|choice| choice.selected).map(|choice| choice.value.as_str()).collect();
            assert_eq!(on, [selected], "{chosen:?}");
            assert_eq!(choices[0].word, "No solution");
            assert_eq!((choices[2].disabled, choices[2].word.as_str()), (true, "S2 (deactivated, cannot be used)"));
        }
    }
}
