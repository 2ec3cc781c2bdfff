//! What a member has ticked: the boxes of a page as a form sends them, and the bar that says how many are ticked in all and what can
//! be done with them.

use leptos::prelude::*;

use super::{
    query::Query,
    store::{Count, Selected},
};
use crate::{
    graph::BusinessId,
    ui::{Glyph, Icon, grouped},
};

/// The most that can be ticked: as many as a batch holds.
pub const MOST_SELECTED: i64 = 100_000;

/// The boxes of a page of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ticks {
    /// The businesses of the page.
    pub shown: Vec<BusinessId>,
    /// Those of them that are ticked.
    pub ticked: Vec<BusinessId>,
}

impl Ticks {
    /// Reads a form's fields; what is no id is left out.
    pub fn read(shown: &[String], ticked: &[String]) -> Self {
        let ids = |given: &[String]| given.iter().filter_map(|id| id.parse().ok()).collect();
        Self { shown: ids(shown), ticked: ids(ticked) }
    }
}

/// What a door says of a selection, in `?notice=` of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectionNotice {
    /// Nothing is ticked.
    Nothing,
    /// More match than can be ticked, or than the search found.
    NotAll,
    /// What was ticked is looked after by somebody else now.
    Assigned,
}

impl SelectionNotice {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Nothing => "nothing_selected",
            Self::NotAll => "not_all_selected",
            Self::Assigned => "assigned",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Nothing, Self::NotAll, Self::Assigned].into_iter().find(|notice| notice.code() == code)
    }

    /// Title and text.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Nothing => ("Nothing is selected", "Tick the businesses first. Nothing was sent or changed."),
            Self::NotAll => (
                "Not all that match are selected",
                "A search finds up to 1,000 by a word, and a batch holds up to 100,000. Narrow the search to reach the others.",
            ),
            Self::Assigned => ("Assigned", "Each business notes the change in its timeline. Nothing was sent to Meta."),
        }
    }
}

/// The view of the list that a form was sent from; what is none leads to the whole list.
pub fn view_href(view: &str) -> String {
    Query::from_href(view).href()
}

/// That view, where it says something of the selection.
pub fn view_with_notice(view: &str, notice: SelectionNotice) -> String {
    let href = view_href(view);
    let joint = if href.contains('?') { '&' } else { '?' };
    format!("{href}{joint}notice={}", notice.code())
}

/// The bar under the table. Without script it also keeps the ticks of the page, and is there before the first one.
///
/// [`super::LiveList`] replaces what is in it, by its id.
pub fn bulk_bar(selected: &Selected, matching: Count) -> AnyView {
    let all = if matching.or_more {
        "Select all that match".to_owned()
    } else {
        format!("Select all {} that match", grouped(matching.n))
    };
    let class = if selected.count == 0 { "bulk is-empty" } else { "bulk" };
    view! {
        <div class=class role="group" aria-label="Selected businesses" id="bulk">
            <button class="btn only-plain" type="submit">"Keep ticks"</button>
            <button class="btn btn-clear" type="submit" formaction="/businesses/clear_selection" aria-label="Clear selection">
                <Icon glyph=Glyph::X/>
            </button>
            <b class="bulk-n">{format!("{} selected", grouped(selected.count))}</b>
            <button class="btn bulk-all" type="submit" formaction="/businesses/select_matching">{all}</button>
            <button class="btn btn-main" type="submit" formaction="/onboarding/draft">"Onboard to MM Lite…"</button>
            <button class="btn" type="submit" formaction="/businesses/assign_ticked">"Assign…"</button>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_leads_back_to_the_same_view_and_nowhere_else() {
        for (view, expected) in [
            ("/businesses?q=a&after=5", "/businesses?q=a&after=5&notice=nothing_selected"),
            ("", "/businesses?notice=nothing_selected"),
            ("//evil.example", "/businesses?notice=nothing_selected"),
        ] {
            assert_eq!(view_with_notice(view, SelectionNotice::Nothing), expected);
        }
        for notice in [SelectionNotice::Nothing, SelectionNotice::NotAll, SelectionNotice::Assigned] {
            assert_eq!(SelectionNotice::from_code(notice.code()), Some(notice));
        }
    }

    #[test]
    fn what_is_no_id_is_no_tick() {
        let given = ["17".to_owned(), "x".to_owned(), String::new(), "1\0".to_owned()];
        let ids: Vec<BusinessId> = vec!["17".parse().unwrap()];
        assert_eq!(Ticks::read(&given, &given), Ticks { shown: ids.clone(), ticked: ids });
    }
}
