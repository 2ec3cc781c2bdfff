//! `/drafts/:number/rows`: what becomes of each row, by finding, fifty at a time; corrected in place.

use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use time::OffsetDateTime;

use super::{
    super::{
        groups::{Counts, Group},
        model::{Draft, Finding, ListedRow, Source},
        store::{self, Part},
    },
    Found, batch_instead, find, problem_notice, rows_url, steps,
};
use crate::{
    businesses::SyncState,
    sign_in::{Page, Visit},
    telemetry::mishap,
    ui::{
        AppError, Breadcrumbs, Chip, Chips, Empty, Glyph, Icon, Name, Notice, NoticeKind, PageHead, Pager, Separator,
        TimeStyle, Timestamp, grouped, plural,
    },
};

/// Rows of a page.
const ROWS: usize = 50;

/// The page.
///
/// # Errors
/// [`AppError::NotFound`]; when Postgres is away.
pub async fn rows_page(visit: Visit) -> Result<Page, AppError> {
    let answer = use_context::<ResponseOptions>();
    let Found { mut tx, draft, sync } = find(&visit).await?;
    if draft.is_started {
        return Ok(batch_instead(answer.as_ref(), &draft));
    }
    let counts = store::count_rows(&mut tx, draft.number).await.map_err(mishap)?;
    let asked = visit.query("finding").and_then(|key| Group::from_key(&key));
    let group = asked.unwrap_or(if counts.of(Group::Problems) > 0 { Group::Problems } else { Group::All });
    let part = read_part(visit.query("after").as_deref(), visit.query("before").as_deref());
    let most = i64::try_from(ROWS + 1).unwrap_or(i64::MAX);
    let mut rows = store::list_rows(&mut tx, draft.number, group, part, most).await.map_err(mishap)?;
    fill_in_again(&mut rows, &visit);
    let sheet = Sheet {
        draft: &draft,
        counts: &counts,
        group,
        leaf: cut(part, rows, ROWS),
        sync: &sync,
        may_onboard: visit.viewer.role.may_onboard(),
        now: visit.clock.now(),
    };
    let view = view! { {sheet.head()}{problem_notice(&visit)}{sheet.view()} };
    Ok(Page { title: "Check before sending".to_owned(), view: view.into_any() })
}

/// Puts into the rows what was entered and didn't go through.
fn fill_in_again(rows: &mut [ListedRow], visit: &Visit) {
    const DOOR: &str = "/onboarding/correct";
    // They may stand on another part of the list.
    let lines = ["shown[]", "line[]"].map(|field| visit.look_at_unsent(DOOR, field)).concat();
    if !rows.iter().any(|row| lines.contains(&row.line.to_string())) {
        return;
    }
    let unsent = |field| visit.all_unsent(DOOR, field);
    let (shown, kept) = (unsent("shown[]"), unsent("keep[]"));
    let entered: Vec<_> = unsent("line[]").into_iter().zip(unsent("id[]")).collect();
    for row in rows {
        let line = row.line.to_string();
        if shown.contains(&line) {
            row.left_out = !kept.contains(&line);
        }
        if let Some((_, id)) = entered.iter().find(|(of, id)| *of == line && !id.is_empty()) {
            row.entered = Some(id.clone());
        }
    }
}

/// Which part of the list the address asks for. What can't be read is the first.
fn read_part(after: Option<&str>, before: Option<&str>) -> Part {
    let line = |text: Option<&str>| text.and_then(|text| text.parse().ok()).filter(|line: &i32| *line > 0);
    match (line(after), line(before)) {
        (Some(line), _) => Part::After(line),
        (None, Some(line)) => Part::Before(line),
        (None, None) => Part::After(0),
    }
}

/// A page of rows, and the lines at which the ways on lead.
#[derive(Debug)]
pub(super) struct Leaf {
    pub rows: Vec<ListedRow>,
    pub back: Option<i32>,
    pub on: Option<i32>,
}

/// Cuts the extra row off that tells whether there is more.
pub(super) fn cut(part: Part, mut rows: Vec<ListedRow>, most: usize) -> Leaf {
    let more = rows.len() > most;
    if more {
        if matches!(part, Part::Before(_)) { drop(rows.remove(0)) } else { rows.truncate(most) }
    }
    let (first, last) = (rows.first().map(|row| row.line), rows.last().map(|row| row.line));
    let (back, on) = match part {
        Part::After(0) => (None, last.filter(|_| more)),
        Part::After(_) => (first, last.filter(|_| more)),
        Part::Before(_) => (first.filter(|_| more), last),
    };
    Leaf { rows, back, on }
}

/// What the page is made of.
pub(super) struct Sheet<'a> {
    pub draft: &'a Draft,
    pub counts: &'a Counts,
    pub group: Group,
    pub leaf: Leaf,
    pub sync: &'a SyncState,
    pub may_onboard: bool,
    pub now: OffsetDateTime,
}

impl Sheet<'_> {
    fn head(&self) -> AnyView {
        let (title, above) = match (self.draft.source, &self.draft.file_name) {
            (Source::Selection, _) => ("Check the selection before sending", None),
            (Source::List, Some(_)) => ("Check the file before sending", Some(("Import CSV", "/import".to_owned()))),
            (Source::List, None) => ("Check the list before sending", Some(("Import CSV", "/import".to_owned()))),
        };
        let above: Vec<_> = [Some(("Businesses", "/businesses".to_owned())), above].into_iter().flatten().collect();
        let file = self.draft.file_name.clone().filter(|name| !name.is_empty()).map(|name| {
            view! { <span><Icon glyph=Glyph::File class="inline"/><Name name=name/></span><Separator/> }
        });
        let rows = plural(self.counts.of(Group::All), "row", "rows");
        let steps = steps(self.draft.source, 1).unwrap_or_else(|| ().into_any());
        view! {
            <Breadcrumbs above=above here="Check"/>
            <PageHead title=title actions=steps>
                {file}
                <span>{rows}</span>
                <Separator/>
                <span>"Nothing has been sent yet"</span>
            </PageHead>
        }
        .into_any()
    }

    pub(super) fn view(self) -> AnyView {
        let chips = Group::ALL.into_iter().filter_map(|group| {
            let rows = self.counts.of(group);
            let always = matches!(group, Group::Problems | Group::ToSend | Group::All) || group == self.group;
            (always || rows > 0).then(|| Chip {
                href: rows_url(self.draft.number, group),
                word: group.word(),
                count: Some(grouped(rows)),
                current: group == self.group,
            })
        });
        let chips: Vec<Chip> = chips.collect();
        let (verdict, syncing) = (verdict(self.counts), self.syncing());
        view! { {verdict}{syncing}<Chips label="Filter rows" chips=chips/>{self.list()} }.into_any()
    }

    /// A sync under way may know the unknown ones in a moment.
    fn syncing(&self) -> Option<AnyView> {
        let running = self.sync.running.is_some() && self.counts.of(Group::Unknown) > 0;
        running.then(|| {
            let here = rows_url(self.draft.number, self.group);
            let actions = view! { <a class="btn btn-sm" href=here>"Reload"</a> };
            view! {
                <Notice kind=NoticeKind::Wait title="Businesses are being read from Meta" actions=Some(actions.into_any())>
                    <p>"The rows are checked again when that is done. Reload this page then."</p>
                </Notice>
            }
            .into_any()
        })
    }

    fn list(self) -> AnyView {
        let Self { draft, counts, group, leaf, may_onboard, now, .. } = self;
        let Leaf { rows, back, on } = leaf;
        let bar = may_onboard.then(|| bar(draft, counts));
        let number = draft.number.to_string();
        let at = |name: &str, line: i32| format!("{}&{name}={line}", rows_url(draft.number, group));
        let range = rows.first().zip(rows.last()).map(|(first, last)| {
            format!(
                "{} of {}, from row {} to row {}",
                grouped(rows.len() as u64),
                grouped(counts.of(group)),
                grouped(u64::try_from(first.line).unwrap_or_default()),
                grouped(u64::try_from(last.line).unwrap_or_default()),
            )
        });
        let pager = range.map(|range| {
            let (back, on) = (back.map(|line| at("before", line)), on.map(|line| at("after", line)));
            view! { <Pager words=("Previous", "Next") back=back on=on>{range}</Pager> }
        });
        let table = if rows.is_empty() {
            view! { <Empty title=format!("{}: none", group.word())><p>"No row of this kind is in the list."</p></Empty> }.into_any()
        } else {
            let caption = format!("{}, in the order of the list", group.word());
            let rows = rows.into_iter().map(|row| table_row(row, draft.source, may_onboard, now)).collect_view();
            view! {
                <table class="table cards" role="table">
                    <caption class="vh">{caption}</caption>
                    <thead role="rowgroup">
                        <tr role="row">
                            <th role="columnheader" scope="col" class="num">"Row"</th>
                            <th role="columnheader" scope="col">{if draft.source == Source::List { "In your list" } else { "Business ID" }}</th>
                            <th role="columnheader" scope="col">"Verdict"</th>
                            <th role="columnheader" scope="col">"What we found"</th>
                            <th role="columnheader" scope="col">"What happens"</th>
                        </tr>
                    </thead>
                    <tbody role="rowgroup">{rows}</tbody>
                </table>
            }
            .into_any()
        };
        if !may_onboard {
            return view! { <section class="list" aria-label="Rows">{table}{pager}</section> }.into_any();
        }
        view! {
            <section class="list" aria-label="Rows">
                <form method="post" action="/onboarding/correct" aria-label="Rows, with what happens to each">
                    <input type="hidden" name="number" value=number/>
                    <input type="hidden" name="finding" value=group.key()/>
                    {table}
                    {bar}
                </form>
                {pager}
            </section>
        }
        .into_any()
    }
}

/// How many will go, what we can put right, what is passed over, what needs a person.
fn verdict(counts: &Counts) -> AnyView {
    let ready = counts.sent_as(Finding::Eligible) + counts.sent_as(Finding::Unsaid);
    let told = |groups: &[(Group, &'static str, &'static str)]| {
        let (mut total, mut words) = (0, Vec::new());
        for (group, one, many) in groups {
            let rows = counts.of(*group);
            total += rows;
            if rows > 0 {
                words.push(plural(rows, one, many));
            }
        }
        (grouped(total), words.join(", "))
    };
    let (skipped, skipped_words) = told(&[
        (Group::Duplicate, "duplicate", "duplicates"),
        (Group::AlreadyRequested, "already requested", "already requested"),
        (Group::NotEligible, "not eligible", "not eligible"),
        (Group::Accepted, "accepted", "accepted"),
        (Group::Ready, "ready", "ready"),
        (Group::Taken, "taken by another partner", "taken by another partner"),
        (Group::Left, "left", "left"),
        (Group::LeftOut, "left out by you", "left out by you"),
    ]);
    let (needed, needed_words) = told(&[
        (Group::Unknown, "unknown ID", "unknown IDs"),
        (Group::Unreadable, "unreadable", "unreadable"),
        (Group::Solution, "with a solution that can not be used", "with a solution that can not be used"),
    ]);
    let by_waba = grouped(counts.sent_as(Finding::WabaId));
    let word = if ready == 1 { "row is ready to send" } else { "rows are ready to send" };
    view! {
        <section class="verdict" aria-label="Summary">
            <p class="verdict-main"><b>{grouped(ready)}</b>" "<span>{word}</span></p>
            <dl class="verdict-rest">
                <div><dt>"Fixed when you agree"</dt><dd>{by_waba}" "<span class="muted">"hold a WABA ID; we know its business"</span></dd></div>
                <div><dt>"Skipped"</dt><dd>{skipped}" "<span class="muted">{skipped_words}</span></dd></div>
                <div><dt>"Need you"</dt><dd>{needed}" "<span class="muted">{needed_words}</span></dd></div>
            </dl>
        </section>
    }
    .into_any()
}

/// What is to be sent, and the ways on. The first button is the one that Enter presses.
fn bar(draft: &Draft, counts: &Counts) -> AnyView {
    let (to_send, all) = (counts.of(Group::ToSend), counts.of(Group::All));
    let by_waba = counts.sent_as(Finding::WabaId);
    let with = (by_waba > 0).then(|| format!(", {} with their business ID", grouped(by_waba)));
    let unknown = (counts.of(Group::Unknown) > 0)
        .then(|| view! { <button class="btn" type="submit" name="then" value="sync">"Sync and check again"</button> });
    let problems = (to_send < all).then(|| {
        let href = format!("/drafts/{}/problems.csv", draft.number);
        view! { <a class="btn" href=href download=""><Icon glyph=Glyph::Download/>"Problem rows (CSV)"</a> }
    });
    let on = (to_send > 0).then(|| {
        let word = format!("Continue with {}…", grouped(to_send));
        view! { <button class="btn btn-primary" type="submit" name="then" value="confirm">{word}</button> }
    });
    let back = if draft.source == Source::List { "/import" } else { "/businesses" };
    view! {
        <div class="bulk bulk-light" role="group" aria-label="Continue">
            <span><b>{format!("{} of {}", grouped(to_send), plural(all, "row", "rows"))}</b>" will be sent"{with}</span>
            <button class="btn" type="submit">"Save and check again"</button>
            {unknown}
            <a class="btn btn-quiet" href=back>"Back"</a>
            {problems}
            {on}
        </div>
    }
    .into_any()
}

fn table_row(row: ListedRow, source: Source, may_onboard: bool, now: OffsetDateTime) -> AnyView {
    let (glyph, hue, word) = row.finding.look();
    let verdict = view! { <span class=format!("state {}", hue.class())><Icon glyph=glyph/>{word}</span> };
    let happens = happens(&row, source, may_onboard);
    let given = if row.given.is_empty() {
        view! { <span class="none" aria-hidden="true">"–"</span><span class="vh">"Nothing"</span> }.into_any()
    } else {
        view! { <span class="cellval"><bdi>{row.given.clone()}</bdi></span> }.into_any()
    };
    view! {
        <tr role="row">
            <td role="cell" data-label="Row" class="num muted">{row.line}</td>
            <td role="cell" data-label="In your list">{given}</td>
            <td role="cell" data-label="Verdict">{verdict}</td>
            <td role="cell" data-label="What we found"><span class="found">{found(row, now)}</span></td>
            <td role="cell" data-label="What happens">{happens}</td>
        </tr>
    }
    .into_any()
}

fn found(row: ListedRow, now: OffsetDateTime) -> AnyView {
    let entered = row.entered.map(|entered| view! { "You entered "<bdi>{entered}</bdi>". " });
    let solution = matches!(row.finding, Finding::SolutionNotAnId | Finding::SolutionGone | Finding::SolutionUnusable);
    let solution = row.given_solution.filter(|_| solution).map(|given| view! { " Given: "<bdi>{given}</bdi>"." });
    let Some((id, name)) = row.business else {
        return view! { {entered}{row.finding.words()} }.into_any();
    };
    let name = view! { <b><Name name=name/></b> };
    let words = match (row.finding, row.waba_name, row.same_as, row.waiting_since) {
        (Finding::WabaId, Some(waba), ..) => {
            let id = format!(", {id}.");
            view! { "This is WABA "<b><Name name=waba/></b>". Its business is "{name}{id} }.into_any()
        }
        (Finding::Duplicate, _, Some(line), _) => {
            view! { {format!("Same business as row {line}, ")}{name}". It is sent once." }.into_any()
        }
        (Finding::AlreadyRequested, _, _, Some(since)) => view! {
            {name}" has been waiting since "<Timestamp at=since now=now style=TimeStyle::Day/>". Meta would keep the first request."
        }
        .into_any(),
        (Finding::Eligible, ..) => name.into_any(),
        (finding, ..) => view! { {name}". "{finding.words()} }.into_any(),
    };
    view! { {entered}{words}{solution} }.into_any()
}

fn happens(row: &ListedRow, source: Source, may_onboard: bool) -> AnyView {
    let line = row.line;
    if !may_onboard {
        let sent = row.finding.is_sent() && !row.left_out;
        return view! { <span class="muted">{if sent { "To send" } else { "Skipped" }}</span> }.into_any();
    }
    let tick = row.finding.is_sent().then(|| {
        let (label, word) = if row.finding == Finding::WabaId {
            (format!("Use the business ID in row {line}"), "Use business ID")
        } else {
            (format!("Send row {line}"), "Send")
        };
        view! {
            <input type="hidden" name="shown[]" value=line/>
            <label class="check-row">
                <input class="check" type="checkbox" name="keep[]" value=line aria-label=label checked=!row.left_out autocomplete="off"/>
                <span>{word}</span>
            </label>
        }
    });
    let field = (source == Source::List && (row.finding.wants_another_id() || row.entered.is_some())).then(|| {
        let entered = row.entered.clone().unwrap_or_default();
        view! {
            <input type="hidden" name="line[]" value=line/>
            <input class="input" type="text" name="id[]" value=entered aria-label=format!("Business ID for row {line}")
                placeholder="Enter ID" inputmode="numeric" maxlength="200" autocomplete="off"/>
        }
    });
    match (tick, field) {
        (None, None) => view! { <span class="muted">"Skipped"</span> }.into_any(),
        (tick, field) => view! { {tick}{field} }.into_any(),
    }
}
