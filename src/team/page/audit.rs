//! `/settings/audit`: the audit log, newest first, fifty at a time, by member and by what was done.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    super::{
        model::{Filter, Leaf, Member, Row, Window},
        store,
    },
    sessions::device,
};
use crate::{
    sign_in::{Act, Page, Role, Visit},
    telemetry::mishap,
    ui::{
        AppError, Breadcrumbs, Choice, Empty, Glyph, Icon, Name, PageHead, Pager, Select, TimeStyle, Timestamp, plural,
    },
};

/// Rows of a page.
const ROWS: usize = 50;

/// Where it is.
const PAGE: &str = "/settings/audit";

/// The page, for admins. `?member=` and `?act=` filter, `?before=` and `?after=` page.
///
/// # Errors
/// [`AppError::Forbidden`] for other roles, Postgres being away.
pub async fn audit_page(visit: Visit) -> Result<Page, AppError> {
    if visit.viewer.role != Role::Admin {
        return Err(AppError::Forbidden);
    }
    let now = visit.clock.now();
    let (filter, window) = (Filter::read(|name| visit.query(name)), Window::read(|name| visit.query(name)));
    let mut tx = visit.tenant().await?;
    let members = store::list_members(&mut tx).await.map_err(mishap)?;
    let most = i64::try_from(ROWS + 1).unwrap_or(i64::MAX);
    let rows = store::list_audit(&mut tx, &filter, window, most).await.map_err(mishap)?;
    let leaf = Leaf::cut(window, rows, ROWS);
    let file = filter.href("/settings/audit.csv", None);
    let download = view! { <a class="btn" href=file download=""><Icon glyph=Glyph::Download/>"Download log (CSV)"</a> };
    let list = if leaf.rows.is_empty() { empty() } else { listed(leaf, &filter, now) };
    let view = view! {
        <Breadcrumbs above=vec![("Settings", "/settings#audit".to_owned())] here="Audit log"/>
        <PageHead title="Audit log" actions=download.into_any()>
            <span>"Who did what, when and from where. Nobody can change it. A download is in it, too."</span>
        </PageHead>
        {filters(&members, &filter)}
        {list}
    };
    Ok(Page { title: "Audit log".to_owned(), view: view.into_any() })
}

fn filters(members: &[Member], filter: &Filter) -> AnyView {
    let all = |word: &str| Choice { word: word.to_owned(), ..Choice::default() };
    let mut people = vec![all("Everybody")];
    people.extend(members.iter().map(|member| Choice {
        value: member.id.to_string(),
        word: member.name.clone(),
        selected: filter.member == Some(member.id),
        disabled: false,
    }));
    let mut acts = vec![all("Everything")];
    acts.extend(Act::ALL.iter().map(|act| Choice {
        value: act.key().to_owned(),
        word: act.word().to_owned(),
        selected: filter.act == Some(*act),
        disabled: false,
    }));
    let clear =
        (*filter != Filter::default()).then(|| view! { <a class="btn btn-quiet" href=PAGE>"Clear filters"</a> });
    view! {
        <form class="audit-filter" method="get" action=PAGE>
            <Select id="audit-member" name="member" label="Who" choices=people/>
            <Select id="audit-act" name="act" label="What" choices=acts/>
            <div class="actions"><button class="btn" type="submit">"Filter"</button>{clear}</div>
        </form>
    }
    .into_any()
}

fn empty() -> AnyView {
    let actions = view! { <a class="btn" href=PAGE>"Show the whole log"</a> };
    view! { <Empty title="Nothing here" actions=actions.into_any()><p>"Nothing was done that fits, or the list ends before this."</p></Empty> }
        .into_any()
}

fn listed(leaf: Leaf, filter: &Filter, now: OffsetDateTime) -> AnyView {
    let shown = u64::try_from(leaf.rows.len()).unwrap_or_default();
    let newer = leaf.newer.map(|id| filter.href(PAGE, Some(("after", id))));
    let older = leaf.older.map(|id| filter.href(PAGE, Some(("before", id))));
    view! {
        {rows_table(leaf.rows, now)}
        <Pager words=("Newer", "Older") back=newer on=older>{plural(shown, "entry", "entries")}</Pager>
    }
    .into_any()
}

/// Rows of the log, newest first.
pub fn rows_table(rows: Vec<Row>, now: OffsetDateTime) -> AnyView {
    let rows = rows.into_iter().map(|row| table_row(row, now)).collect_view();
    view! {
        <div class="list">
            <table class="table cards tall" role="table">
                <caption class="vh">"Audit log, newest first"</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">"What"</th>
                        <th role="columnheader" scope="col">"Who"</th>
                        <th role="columnheader" scope="col">"From"</th>
                        <th role="columnheader" scope="col" class="num">"When"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn table_row(row: Row, now: OffsetDateTime) -> AnyView {
    let word = row.word();
    let detail = (!row.detail.is_empty()).then(|| view! { <span class="sub"><bdi>{row.detail}</bdi></span> });
    let from = match row.whence.address {
        None => view! { <span class="muted">"Command line"</span> }.into_any(),
        Some(address) => {
            let device = device(&row.whence);
            view! { {address.to_string()}<span class="sub" title=row.whence.agent>{device}</span> }.into_any()
        }
    };
    view! {
        <tr role="row">
            <th role="rowheader" scope="row"><span class="name">{word}</span>{detail}</th>
            <td role="cell" data-label="Who"><Name name=row.who/></td>
            <td role="cell" data-label="From"><span>{from}</span></td>
            <td role="cell" data-label="When" class="num nowrap"><Timestamp at=row.at now=now style=TimeStyle::Minute/></td>
        </tr>
    }
    .into_any()
}
