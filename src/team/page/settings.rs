//! `/settings`: everything in one page, each section with an address of its own. Those who are no admins find what is theirs.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    super::{
        connection::connection_section,
        model::{Deployment, Member, Row, Window},
        settings::{Flaw, RAW_BODY_DAYS, STALLED_DAYS, shown},
        store,
    },
    audit::rows_table,
    notices::told,
    part,
    sessions::own_sessions,
    team::team_part,
    you::you_part,
};
use crate::{
    graph::Graph,
    sign_in::{self, OpenSession, Page, PartnerKind, PartnerSettings, Role, Visit, partner_settings},
    telemetry::{self, mishap},
    ui::{AppError, Choice, Field, Glyph, Hue, Icon, Identifier, PageHead, Select},
};

/// Rows of the audit log that the settings show.
const LATEST: i64 = 5;

/// The page, for every role. `?notice=` and `?problem=` tell what became of a form.
///
/// # Errors
/// Postgres being away.
pub async fn settings_page(visit: Visit) -> Result<Page, AppError> {
    let (Some(graph), Some(deployment)) =
        (use_context::<Graph>().map(|graph| graph.settings().clone()), use_context::<Deployment>())
    else {
        tracing::error!("the settings page runs without Graph and Deployment in its context");
        return Err(AppError::Unexpected { reference: telemetry::reference() });
    };
    let you = you_part();
    let (viewer, now) = (&visit.viewer, visit.clock.now());
    let mut tx = visit.tenant().await?;
    let connection = sign_in::connection(&mut tx, viewer.member_id, now).await.map_err(mishap)?;
    let settings = partner_settings(&mut tx).await.map_err(mishap)?;
    let managed = match viewer.role {
        Role::Admin => Some(Managed {
            members: store::list_members(&mut tx).await.map_err(mishap)?,
            log: store::list_audit(&mut tx, &super::super::model::Filter::default(), Window::Newest, LATEST)
                .await
                .map_err(mishap)?,
        }),
        Role::AccountManager | Role::Support => None,
    };
    drop(tx);
    let sessions = sign_in::open_sessions(&visit.db, viewer.member_id, now).await.map_err(mishap)?;
    let notice = told(&visit, connection.system_user.is_some(), "/settings");
    let flaw = visit.query("problem").and_then(|code| Flaw::from_code(&code));
    let is_admin = managed.is_some();
    let (team, log) = managed.map(|managed| (managed.members, managed.log)).unzip();
    let team = team.map(|members| team_part(members, viewer, &deployment, now));
    let deciding = is_admin.then(|| settings_part(&Entered::of(&visit, &settings), flaw));
    let webhooks = is_admin.then(|| webhooks_part(&deployment));
    let log = log.map(|rows| log_part(rows, now));
    let connected = connection_section(&connection, viewer, &graph, now);
    let sessions = sessions_part(&sessions, &visit, now);
    let (partner, kind) = (viewer.partner_name.clone(), kind_word(settings.kind));
    let view = view! {
        <PageHead title="Settings"><span><bdi>{partner}</bdi>", "{kind}</span></PageHead>
        {notice}
        <div class="settings">
            {subnav(is_admin)}
            <div class="settings-parts">{team}{connected}{deciding}{webhooks}{sessions}{you}{log}</div>
        </div>
    };
    Ok(Page { title: "Settings".to_owned(), view: view.into_any() })
}

/// What only admins see.
struct Managed {
    members: Vec<Member>,
    log: Vec<Row>,
}

const fn kind_word(kind: PartnerKind) -> &'static str {
    match kind {
        PartnerKind::SolutionPartner => "solution partner",
        PartnerKind::TechProvider => "tech provider",
    }
}

fn subnav(is_admin: bool) -> AnyView {
    let links = [
        ("#team", "Team", true),
        ("#connection", "Connection to Meta", false),
        ("#requests", "Requests and records", true),
        ("#webhooks", "Webhooks", true),
        ("#sessions", "Your sessions", false),
        ("#you", "Appearance and keys", false),
        ("#audit", "Audit log", true),
    ]
    .into_iter()
    .filter(|(.., admins_only)| is_admin || !admins_only)
    .map(|(href, word, _)| view! { <a href=href>{word}</a> })
    .collect_view();
    view! { <nav class="subnav" aria-label="Settings">{links}</nav> }.into_any()
}

/// What stands in the fields: the settings in force, or what was entered and didn't go through.
struct Entered {
    kind: String,
    stalled_days: String,
    raw_body_days: String,
    probe: bool,
    /// The settings as they were when it was filled in: what was left alone is to stay as it is by now.
    seen: String,
}

impl Entered {
    fn of(visit: &Visit, settings: &PartnerSettings) -> Self {
        let entered = |field| visit.unsent("/settings/save", field);
        let kind = entered("kind");
        Self {
            // A box that isn't ticked isn't sent.
            probe: if kind.is_some() { entered("probe").is_some() } else { settings.probe_request_ids },
            seen: entered("seen").unwrap_or_else(|| shown(settings)),
            kind: kind.unwrap_or_else(|| settings.kind.key().to_owned()),
            stalled_days: entered("stalled_days").unwrap_or_else(|| settings.stalled_days.to_string()),
            raw_body_days: entered("raw_body_days").unwrap_or_else(|| settings.raw_body_days.to_string()),
        }
    }
}

fn settings_part(entered: &Entered, flaw: Option<Flaw>) -> AnyView {
    let error = |of: Flaw| flaw.filter(|flaw| *flaw == of).map(|flaw| flaw.text().to_owned());
    let kinds = PartnerKind::ALL
        .into_iter()
        .map(|kind| Choice {
            value: kind.key().to_owned(),
            word: kind.word().to_owned(),
            selected: kind.key() == entered.kind,
            disabled: false,
        })
        .collect();
    debug_assert!((*STALLED_DAYS.end(), *RAW_BODY_DAYS.end()) == (90, 3_650), "the hints below name these");
    let (stalled, raw) = (entered.stalled_days.clone(), entered.raw_body_days.clone());
    let form = view! {
        <form class="prefs" method="post" action="/settings/save">
            <input type="hidden" name="seen" value=entered.seen.clone()/>
            <Select
                id="partner-kind"
                name="kind"
                label="You are to Meta"
                choices=kinds
                error=error(Flaw::Kind)
                hint="The same call is sent either way. With a solution partner’s, Meta also prepares to move WABAs that you own on behalf of clients (OBO, legacy), and such a partner may pay for clients from its credit line. A tech provider’s clients pay Meta themselves: Needs payment is always theirs to settle."
            />
            <Field
                id="stalled-days"
                name="stalled_days"
                label="Days until a request is stalled"
                kind="number"
                value=stalled
                error=error(Flaw::StalledDays)
                hint="From 1 to 90. A request that no admin of the client has accepted by then is listed for a reminder. It stays open at Meta."
            />
            <Field
                id="raw-body-days"
                name="raw_body_days"
                label="Days Meta’s words are kept as they came"
                kind="number"
                value=raw
                error=error(Flaw::RawBodyDays)
                hint="From 1 to 3650, for its answers and for what it tells by webhook. Then only the facts stay: codes, times and IDs. What is cleared away by a shorter time cannot be brought back."
            />
            <label class="check-row">
                <input class="check" type="checkbox" name="probe" value="on" checked=entered.probe/>
                <span>
                    "Ask Meta by request ID as well"
                    <span class="sub">
                        "One more call for each waiting request. Meta documents no such look-up and may refuse it; we ignore that."
                    </span>
                </span>
            </label>
            <button class="btn btn-primary" type="submit">"Save settings"</button>
        </form>
    };
    let about = "They hold for everybody of this partner, from the moment you save them.";
    part("requests", "Requests and records", about.into_any(), None, form.into_any())
}

fn webhooks_part(deployment: &Deployment) -> AnyView {
    let callback = deployment.address("/webhooks/meta");
    let token = if deployment.verify_token_is_set {
        view! {
            <span class=format!("state {}", Hue::Green.class())><Icon glyph=Glyph::Ready/>"Set"</span>
            <span class="sub">"Enter the same one at Meta. It is never shown here."</span>
        }
        .into_any()
    } else {
        view! {
            <span class=format!("state {}", Hue::Amber.class())><Icon glyph=Glyph::Alert/>"Not set"</span>
            <span class="sub">"Whoever runs Liteboard sets META_WEBHOOK_VERIFY_TOKEN. Until then Meta cannot subscribe, and we only ask."</span>
        }
        .into_any()
    };
    let panel = view! {
        <div class="panel">
            <dl class="facts conn">
                <div><dt>"Callback URL"</dt><dd><Identifier what="callback URL" value=callback mono=true/></dd></div>
                <div><dt>"Verify token"</dt><dd>{token}</dd></div>
                <div>
                    <dt>"Fields"</dt>
                    <dd>
                        <code>"account_update"</code>" and "<code>"partner_solutions"</code>
                        <span class="sub">"Subscribe the app to both in the App Dashboard, under WhatsApp, Configuration."</span>
                    </dd>
                </div>
            </dl>
        </div>
    };
    let act = view! { <a class="btn" href="/settings/webhooks">"See deliveries"</a> };
    let about = "How Meta tells us that terms were signed.";
    part("webhooks", "Webhooks", about.into_any(), Some(act.into_any()), panel.into_any())
}

fn sessions_part(sessions: &[OpenSession], visit: &Visit, now: OffsetDateTime) -> AnyView {
    let (list, has_others) = own_sessions(sessions, visit.session().as_ref(), now);
    let act = has_others.then(|| {
        view! {
            <form method="post" action="/settings/end-sessions">
                <button class="btn btn-danger" type="submit">"End all others"</button>
            </form>
        }
        .into_any()
    });
    let about = "A session ends after 12 hours, or 60 minutes without use. Ending one signs that browser out at once; what was sent from it goes on.";
    part("sessions", "Your sessions", about.into_any(), act, list)
}

fn log_part(rows: Vec<Row>, now: OffsetDateTime) -> AnyView {
    let act = view! { <a class="btn" href="/settings/audit">"See the whole log"</a> };
    let about = "Who did what, when and from where. Nobody can change it, not even an admin.";
    part("audit", "Audit log", about.into_any(), Some(act.into_any()), rows_table(rows, now))
}
