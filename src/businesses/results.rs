//! What a search and a filter show: chips with counts, the page of the table or why there is none, the pager.
//!
//! [`super::LiveList`] swaps this whole, so it holds no island and nothing typed.

use std::fmt;

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    managers::Manager,
    model::Business,
    query::{Filter, Place, Query},
    selection::{SelectionNotice, bulk_bar},
    store::{Count, Counts, Listed, Selected},
    table::business_table,
};
use crate::{
    graph::{BusinessId, WabaId},
    ui::{Chip, Chips, Empty, Identifier, Name, Notice, NoticeKind, Pager, grouped, plural},
};

/// Everything that is shown of a view of the list.
pub struct Results {
    pub query: Query,
    pub counts: Counts,
    pub listed: Listed,
    /// Businesses in all, whatever is searched or filtered.
    pub total: Count,
    /// Names near the one that nobody has.
    pub near: Vec<(BusinessId, String)>,
    /// What was searched for is the id of a WABA; its business is the one that is shown.
    pub by_waba: Option<WabaId>,
    /// What of the URL could not be read.
    pub complaints: Vec<String>,
    /// What the viewer has ticked; none for those who send nothing.
    pub selected: Option<Selected>,
    /// What a door said of the selection.
    pub notice: Option<SelectionNotice>,
    pub stalled_after: time::Duration,
    pub now: OffsetDateTime,
}

impl Results {
    /// For the line that is spoken when the results change.
    pub fn spoken(&self) -> String {
        let count = self.counts.of(self.query.filter);
        if self.query.typed.trim().is_empty() { String::new() } else { format!("{} match", businesses(count)) }
    }

    pub fn view(self) -> AnyView {
        let chips = Filter::ALL.map(|filter| Chip {
            href: self.query.with_filter(filter).href(),
            word: filter.word(),
            count: Some(self.counts.of(filter).to_string()),
            current: filter == self.query.filter,
        });
        let complaints = self.complaints.iter().cloned().map(|complaint| {
            view! { <Notice kind=NoticeKind::Info title="Part of the address was left out"><p>{complaint}</p></Notice> }
        });
        let selection = self.notice.map(|notice| {
            let (title, text) = notice.words();
            view! { <Notice kind=NoticeKind::Info title=title><p>{text}</p></Notice> }
        });
        let notices = (complaints.collect_view(), selection, self.waba_notice());
        view! {
            <Chips label="Filter by MM status" chips=chips.to_vec()/>
            <section class="list" id="results" aria-label="Results">{notices}{self.list()}</section>
        }
        .into_any()
    }

    fn waba_notice(&self) -> Option<AnyView> {
        let waba = self.by_waba.as_ref()?.to_string();
        let notice = view! {
            <Notice kind=NoticeKind::Info title="This is the ID of a WABA">
                <p><Identifier what="WABA ID" value=waba/>" belongs to the business below. The onboarding call goes to the business ID."</p>
            </Notice>
        };
        Some(notice.into_any())
    }

    fn list(self) -> AnyView {
        if self.listed.businesses.is_empty() {
            return self.empty();
        }
        let count = self.counts.of(self.query.filter);
        let caption = format!("Businesses, sorted by name, A to Z. {count} match.");
        let pager = pager(&self.query, &self.listed, count);
        let view = self.query.href();
        let bar = self.selected.as_ref().map(|selected| bulk_bar(selected, count));
        let table =
            business_table(self.listed.businesses, caption, self.selected.as_ref(), self.stalled_after, self.now);
        let table = match bar {
            None => table,
            Some(bar) => view! {
                <form method="post" action="/businesses/select" id="picks" aria-label="Businesses, with bulk actions">
                    <input type="hidden" name="view" value=view/>
                    {table}
                    {bar}
                </form>
            }
            .into_any(),
        };
        view! { {table}{pager} }.into_any()
    }

    fn empty(self) -> AnyView {
        let clear = view! { <a class="btn" href=super::query::PATH>"Clear filters"</a> };
        let (typed, filter) = (self.query.typed.trim().to_owned(), self.query.filter);
        if self.query.is_narrowed() && (typed.is_empty() || self.counts.of(Filter::All).n == 0) {
            let noted = !self.query.note.is_empty();
            let (title, words) = match (self.query.manager, filter) {
                _ if !typed.is_empty() || (noted && self.query.manager.is_some()) => {
                    ("No business fits all of this", "Take a filter away, or search for less.")
                }
                (_, chip) if chip != Filter::All => ("None right now", "None of these businesses is in this state."),
                _ if noted => {
                    ("No business has such a note", "Notes are written on the page of a business, at its timeline.")
                }
                (Some(Manager::Nobody), _) => ("Every business has a manager", "None is left to assign."),
                _ => (
                    "Nothing is assigned to this manager",
                    "Tick businesses in the list and choose “Assign…”, or assign one on its page.",
                ),
            };
            return view! { <Empty title=title actions=clear.into_any()><p>{words}</p></Empty> }.into_any();
        }
        if typed.is_empty() {
            let title = if filter == Filter::All {
                "No businesses yet".to_owned()
            } else {
                format!("{}: none right now", filter.word())
            };
            let words = if filter == Filter::All {
                "No client shares a WABA with you yet. They appear here after the next sync."
            } else {
                "No business is in this state. It may change with the next sync."
            };
            let actions = (filter != Filter::All).then(|| clear.into_any());
            return view! { <Empty title=title actions=actions.unwrap_or_else(|| ().into_any())><p>{words}</p></Empty> }.into_any();
        }
        let others = self.counts.of(Filter::All);
        let searched = if others.n > 0 {
            let all = self.query.with_filter(Filter::All).href();
            let others = businesses(others);
            view! { <p>"Searched among those under “"{filter.word()}"”. "<a class="link" href=all>{others}" under All"</a>" match."</p> }.into_any()
        } else {
            view! { <p>"Searched among "{businesses(self.total)}"."</p> }.into_any()
        };
        let actions = view! { {clear}<a class="btn btn-quiet" href="/support">"Look up an ID"</a> }.into_any();
        view! {
            <Empty title=format!("No business matches “{typed}”") actions=actions>
                {searched}
                {did_you_mean(&self.query, self.near)}
            </Empty>
        }
        .into_any()
    }
}

/// Up to three links, each to a search for that name.
fn did_you_mean(query: &Query, near: Vec<(BusinessId, String)>) -> Option<AnyView> {
    if near.is_empty() {
        return None;
    }
    let last = near.len() - 1;
    let links = near.into_iter().enumerate().map(|(at, (_, name))| {
        let before = match at {
            0 => "",
            _ if at == last => " or ",
            _ => ", ",
        };
        let href = query.with_filter(Filter::All).searching(&name).href();
        view! { {before}<a class="link" href=href><bdi>{name}</bdi></a> }
    });
    Some(view! { <p>"Did you mean "{links.collect_view()}"?"</p> }.into_any())
}

fn pager(query: &Query, listed: &Listed, count: Count) -> Option<AnyView> {
    let (first, last) = (listed.businesses.first()?, listed.businesses.last()?);
    let at = |place: fn(BusinessId) -> Place, business: &Business| query.at(place(business.id.clone())).href();
    let back = listed.more_before.then(|| at(Place::Before, first));
    let on = listed.more_after.then(|| at(Place::After, last));
    let shown = grouped(u64::try_from(listed.businesses.len()).unwrap_or_default());
    let (first, last) = (first.name.clone(), last.name.clone());
    let range = format!("{shown} of {count}, from ");
    let pager = view! {
        <Pager words=("Previous", "Next") back=back on=on>
            {range}<b><Name name=first/></b>" to "<b><Name name=last/></b>
        </Pager>
    };
    Some(pager.into_any())
}

/// `3,412`, or `1,000+` where counting stopped.
impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", grouped(self.n), if self.or_more { "+" } else { "" })
    }
}

fn businesses(count: Count) -> String {
    if count.or_more { format!("{count} businesses") } else { plural(count.n, "business", "businesses") }
}
