//! `/settings/webhooks`: whether Meta reaches us, and what it told last; one change with its words. Everyone may look; how it's set up is
//! shown to admins.

use leptos::prelude::*;
use time::{Duration, OffsetDateTime};

use super::{
    model::{Health, KeptChange, Outcome, Refused},
    receiver::Webhooks,
    store,
};
use crate::{
    sign_in::{Page, Role, Visit},
    telemetry::{self, mishap},
    ui::{
        AppError, Breadcrumbs, CopyButton, Empty, Fact, Facts, Glyph, Hue, Icon, Identifier, Name, NameLink, PageHead,
        Pager, RawText, Section, TimeStyle, Timestamp, capped, grouped, isolated, plural,
    },
};

/// The path of the list.
const PATH: &str = "/settings/webhooks";

/// The most characters of a change that are set out. Meta's have some hundred; a delivery may have millions.
const LONGEST_BODY: usize = 100_000;

/// Rows of a page.
const ROWS: usize = 50;

/// Meta is quiet when it has told nothing for so long.
const QUIET_AFTER: Duration = Duration::days(7);

/// The page.
///
/// # Errors
/// When Postgres is away.
pub async fn webhooks_page(visit: Visit) -> Result<Page, AppError> {
    let Some(webhooks) = use_context::<Webhooks>() else {
        tracing::error!("the webhooks page runs without Webhooks in its context");
        return Err(AppError::Unexpected { reference: telemetry::reference() });
    };
    let now = visit.clock.now();
    let before: Option<i64> = visit.query("before").and_then(|text| text.parse().ok());
    let mut tx = visit.tenant().await?;
    let health = store::health(&mut tx, now).await.map_err(mishap)?;
    let most = i64::try_from(ROWS + 1).unwrap_or(i64::MAX);
    let mut rows = store::recent(&mut tx, before, most).await.map_err(mishap)?;
    drop(tx);
    let more = rows.len() > ROWS;
    rows.truncate(ROWS);
    let setup = (visit.viewer.role == Role::Admin).then(|| setup(&webhooks, &health, now));
    let view = view! {
        <Breadcrumbs above=vec![("Settings", "/settings".to_owned())] here="Webhooks"/>
        <PageHead title="Webhooks"><span>"How Meta tells us that terms were signed"</span></PageHead>
        <Section id="receiving" title="Receiving">
            <div class="panel">
                <dl class="facts conn">
                    <div><dt>"account_update"</dt><dd>{receiving(&health, now)}</dd></div>
                    {setup}
                </dl>
            </div>
        </Section>
        <Section id="deliveries" title="What Meta told" note="Newest first">{list(rows, before, more, now)}</Section>
    };
    Ok(Page { title: "Webhooks".to_owned(), view: view.into_any() })
}

/// One change, with all that Meta said of it: `/settings/webhooks/{our id of it}`.
///
/// # Errors
/// When there is no such change, or it is another partner's; when Postgres is away.
pub async fn change_page(visit: Visit) -> Result<Page, AppError> {
    let id = visit.param("change").and_then(|id| id.parse().ok()).ok_or(AppError::NotFound)?;
    let now = visit.clock.now();
    let mut tx = visit.tenant().await?;
    let change = store::find_change(&mut tx, id).await.map_err(mishap)?.ok_or(AppError::NotFound)?;
    drop(tx);
    let title = change.event.clone().unwrap_or_else(|| "A change without an event".to_owned());
    let (sent_at, received_at, outcome) = (change.sent_at, change.received_at, change.outcome);
    let waba = change.waba_id.as_ref().map(ToString::to_string);
    let waba = waba.map(|id| view! { <Fact term="WABA"><Identifier what="WABA ID" value=id/></Fact> });
    let field = change.field.clone().unwrap_or_else(|| "None".to_owned());
    let raw = match change.body.clone() {
        gone if gone.is_empty() => {
            view! { <p class="hint">"What Meta said is no longer kept: it is older than your workspace keeps raw answers."</p> }.into_any()
        }
        mut body => {
            let cut = body.char_indices().nth(LONGEST_BODY).map(|(end, _)| body.truncate(end));
            let cut = cut.map(|()| view! { <p class="hint">{format!("Only its first {LONGEST_BODY} characters are shown.")}</p> });
            view! { <RawText label="What Meta said" raw=body/>{cut} }.into_any()
        }
    };
    let view = view! {
        <Breadcrumbs above=vec![("Settings", "/settings".to_owned()), ("Webhooks", PATH.to_owned())] here=format!("Change {id}")/>
        <PageHead title=isolated(&title)/>
        <Section id="change" title="What Meta told">
            <Facts wide=true>
                <Fact term="Field"><Name name=field/></Fact>
                <Fact term="Business">{business_of(&change)}</Fact>
                {waba}
                <Fact term="Meta’s hour"><Timestamp at=sent_at now=now style=TimeStyle::Second/></Fact>
                <Fact term="Received"><Timestamp at=received_at now=now style=TimeStyle::Second/></Fact>
                <Fact term="What became of it">{outcome_view(outcome)}</Fact>
            </Facts>
        </Section>
        <Section id="raw" title="As it came">{raw}</Section>
    };
    Ok(Page { title, view: view.into_any() })
}

/// A word with its shape and colour.
fn mark(glyph: Glyph, hue: Hue, word: &'static str) -> AnyView {
    view! { <span class=format!("state {}", hue.class())><Icon glyph=glyph/>{word}</span> }.into_any()
}

/// Whether Meta has been heard from lately.
fn receiving(health: &Health, now: OffsetDateTime) -> AnyView {
    let Some(last_at) = health.last_at else {
        return view! {
            {mark(Glyph::Unknown, Hue::Grey, "Nothing heard yet")}
            <span class="sub">"Until Meta tells, we ask: the businesses that wait are read from time to time."</span>
        }
        .into_any();
    };
    let state = if now - last_at > QUIET_AFTER {
        mark(Glyph::Alert, Hue::Amber, "Quiet")
    } else {
        mark(Glyph::Ready, Hue::Green, "Receiving")
    };
    let day = u64::try_from(health.last_day).unwrap_or_default();
    let day = capped(day, 10_000);
    view! {
        {state}
        <span class="sub">"Last event "<Timestamp at=last_at now=now style=TimeStyle::Minute/>". "{day}" in 24 hours."</span>
    }
    .into_any()
}

/// What an admin needs to set Meta's side up, and to see that somebody knocks with a wrong key.
fn setup(webhooks: &Webhooks, health: &Health, now: OffsetDateTime) -> AnyView {
    let url = webhooks.callback_url().to_owned();
    let token = if webhooks.can_be_verified() {
        view! {
            {mark(Glyph::Ready, Hue::Green, "Set")}
            <span class="sub">"META_WEBHOOK_VERIFY_TOKEN. Give Meta the same one; it is not shown here."</span>
        }
        .into_any()
    } else {
        view! {
            {mark(Glyph::Alert, Hue::Amber, "Not set")}
            <span class="sub">"Whoever runs Liteboard sets META_WEBHOOK_VERIFY_TOKEN. Until then Meta cannot subscribe."</span>
        }
        .into_any()
    };
    view! {
        <div>
            <dt>"Callback URL"</dt>
            <dd>
                <span class="id"><span class="mono">{url.clone()}</span><CopyButton what="callback URL" value=url/></span>
                <span class="sub">
                    "In the App Dashboard: WhatsApp > Configuration. Subscribe to account_update and partner_solutions."
                </span>
            </dd>
        </div>
        <div><dt>"Verify token"</dt><dd>{token}</dd></div>
        <div>
            <dt>"Signatures"</dt>
            <dd>
                {refused(&health.bad_signatures, "A bad signature means that it was not Meta, or that META_APP_SECRET is another app’s.", now)}
            </dd>
        </div>
        <div>
            <dt>"Unreadable"</dt>
            <dd>{refused(&health.unreadable, "Cut, too large or no JSON.", now)}</dd>
        </div>
    }
    .into_any()
}

/// How many deliveries were refused, and what that means.
fn refused(refused: &Refused, meaning: &'static str, now: OffsetDateTime) -> AnyView {
    if refused.day == 0 {
        return mark(Glyph::Ready, Hue::Green, "None refused in 24 hours");
    }
    let count = format!("{} refused in 24 hours", grouped(u64::try_from(refused.day).unwrap_or_default()));
    let last = refused.last_hour.map(|from| {
        view! {
            ", the last between "<Timestamp at=from now=now style=TimeStyle::Minute/>" and "
            <Timestamp at=now.min(from + Duration::HOUR) now=now style=TimeStyle::Minute/>
        }
    });
    view! {
        {mark(Glyph::Alert, Hue::Amber, "Some refused")}
        <span class="sub">{count}{last}". Nothing of them is kept. "{meaning}</span>
    }
    .into_any()
}

fn list(rows: Vec<KeptChange>, before: Option<i64>, more: bool, now: OffsetDateTime) -> AnyView {
    if rows.is_empty() && before.is_some() {
        let actions = view! { <a class="btn" href=PATH>"Show the newest"</a> };
        return view! { <Empty title="Nothing here" actions=actions.into_any()><p>"The list ends before this."</p></Empty> }
            .into_any();
    }
    if rows.is_empty() {
        return view! {
            <Empty title="Nothing yet"><p>"Each change Meta tells of is kept here, whatever became of it."</p></Empty>
        }
        .into_any();
    }
    let shown = u64::try_from(rows.len()).unwrap_or_default();
    let older = rows.last().filter(|_| more).map(|row| format!("{PATH}?before={}", row.id));
    let newest = before.map(|_| PATH.to_owned());
    view! {
        {changes_table(rows, now)}
        <Pager words=("Newest", "Older") back=newest on=older>{plural(shown, "change", "changes")}</Pager>
    }
    .into_any()
}

/// What Meta told, in the order given.
pub fn changes_table(rows: Vec<KeptChange>, now: OffsetDateTime) -> AnyView {
    let rows = rows.into_iter().map(|row| table_row(row, now)).collect::<Vec<_>>();
    view! {
        <div class="list">
            <table class="table cards" role="table">
                <caption class="vh">"What Meta told, newest first"</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">"Event"</th>
                        <th role="columnheader" scope="col">"Business"</th>
                        <th role="columnheader" scope="col">"What became of it"</th>
                        <th role="columnheader" scope="col" class="num">"When"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn table_row(row: KeptChange, now: OffsetDateTime) -> AnyView {
    let field = row.field.clone().unwrap_or_else(|| "no field".to_owned());
    let event = row.event.as_ref().map_or_else(
        || view! { <span>"No event"</span> }.into_any(),
        |event| view! { <code><bdi>{event.clone()}</bdi></code> }.into_any(),
    );
    let business = business_of(&row);
    let waba =
        row.waba_id.map(|id| view! { <span class="sub">"WABA "<span class="mono">{id.to_string()}</span></span> });
    view! {
        <tr role="row">
            <th role="rowheader" scope="row" class="c-name">
                <a class="name" href=format!("{PATH}/{}", row.id)>{event}</a><span class="sub"><Name name=field/></span>
            </th>
            <td role="cell" data-label="Business">{business}{waba}</td>
            <td role="cell" data-label="What became of it">{outcome_view(row.outcome)}</td>
            <td role="cell" data-label="When" class="num nowrap">
                <Timestamp at=row.received_at now=now style=TimeStyle::Second/>
            </td>
        </tr>
    }
    .into_any()
}

fn business_of(change: &KeptChange) -> AnyView {
    match (change.business_id.as_ref(), change.business_name.clone()) {
        (Some(id), Some(name)) => view! { <NameLink href=format!("/businesses/{id}") name=name/> }.into_any(),
        (Some(id), None) => view! { <span class="mono">{id.to_string()}</span> }.into_any(),
        (None, _) => {
            view! { <span class="none" aria-hidden="true">"–"</span><span class="vh">"None named"</span> }.into_any()
        }
    }
}

fn outcome_view(outcome: Option<Outcome>) -> AnyView {
    let Some(outcome) = outcome else { return mark(Glyph::Queued, Hue::Grey, "Not looked at yet") };
    let (glyph, hue) = match outcome {
        Outcome::Applied => (Glyph::Ready, Hue::Green),
        Outcome::WaitsForBusiness => (Glyph::Clock, Hue::Amber),
        Outcome::AlreadySo | Outcome::Outdated | Outcome::NoEffect => (Glyph::Check, Hue::Grey),
        Outcome::UnknownEvent | Outcome::UnknownShape => (Glyph::Unknown, Hue::Grey),
    };
    view! { {mark(glyph, hue, outcome.word())}{outcome.why().map(|why| view! { <span class="sub">{why}</span> })} }
        .into_any()
}
