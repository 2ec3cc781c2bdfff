//! `/batches/{number}`: one batch, from its first request to its last.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    super::{
        LiveBatch,
        model::{Answered, Batch, BatchNumber, Failures, Phase, Pulse, Source},
        pace::Minutes,
        store,
    },
    batch_url, control,
    failures::{failures, retries},
    latest::latest,
    number_of,
    pace::pace,
    phase_view,
    progress::{progress, wait},
};
use crate::{
    db::TenantTx,
    sign_in::{Page, Visit},
    telemetry::mishap,
    ui::{
        AppError, Breadcrumbs, ErrorNotice, Glyph, Icon, Name, Notice, NoticeKind, PageHead, Separator, Timestamp,
        isolated, plural,
    },
};

/// Lines of the latest answers.
const LATEST: i64 = 20;

/// All that the page shows.
pub(super) struct Sight {
    pub(super) pulse: Pulse,
    pub(super) minutes: Minutes,
    pub(super) failures: Vec<Failures>,
    pub(super) latest: Vec<Answered>,
    pub(super) retries: Vec<BatchNumber>,
    pub(super) may_send: bool,
    /// The viewer's own token sends it.
    pub(super) is_mine: bool,
    pub(super) now: OffsetDateTime,
}

impl Sight {
    pub(super) fn batch(&self) -> &Batch {
        &self.pulse.batch
    }

    /// Whether its numbers may change while one looks.
    pub(super) fn runs(&self) -> bool {
        self.pulse.counts.open() > 0
    }
}

/// The page. A draft and a single click have pages of their own.
///
/// # Errors
/// `NotFound` for what is no number of a batch of this partner.
pub async fn batch_page(visit: Visit) -> Result<Page, AppError> {
    let number = number_of(&visit)?;
    let now = visit.clock.now();
    let elsewhere = |path: String| {
        leptos_axum::redirect(&path);
        Ok(Page { title: format!("Batch {number}"), view: ().into_any() })
    };
    let mut tx = visit.tenant().await?;
    let pulse = store::pulse(&mut tx, number, now).await.map_err(mishap)?.ok_or(AppError::NotFound)?;
    if pulse.batch.source == Source::Click {
        let request = store::only_request(&mut tx, number).await.map_err(mishap)?.ok_or(AppError::NotFound)?;
        return elsewhere(format!("/requests/{request}"));
    }
    if pulse.batch.started_at.is_none() {
        return elsewhere(format!("/drafts/{number}"));
    }
    let sight = load(&mut tx, pulse, &visit, now).await.map_err(mishap)?;
    let title = isolated(&sight.batch().title());
    Ok(Page { title, view: show(&visit, &sight) })
}

async fn load(tx: &mut TenantTx, pulse: Pulse, visit: &Visit, now: OffsetDateTime) -> sqlx::Result<Sight> {
    let number = pulse.batch.number;
    Ok(Sight {
        minutes: store::minutes(tx, number, now).await?,
        failures: store::failures(tx, number).await?,
        latest: store::latest(tx, number, LATEST).await?,
        retries: store::retries_of(tx, number).await?,
        may_send: visit.viewer.role.may_onboard(),
        is_mine: pulse.batch.member_id == visit.viewer.member_id,
        now,
        pulse,
    })
}

fn show(visit: &Visit, sight: &Sight) -> AnyView {
    let here = batch_url(sight.batch().number);
    let runs = sight.runs();
    let again = runs.then(|| {
        let here = here.clone();
        view! {
            <noscript>
                <meta http-equiv="refresh" content="5"/>
                <p class="sm"><a class="link" href=here>"Reload"</a></p>
            </noscript>
        }
    });
    view! {
        <Breadcrumbs above=vec![("Batches", "/batches".to_owned())] here=format!("Batch {}", sight.batch().number)/>
        <div id="head">{head(sight)}</div>
        {visit.problem().map(|error| view! { <ErrorNotice error=error/> })}
        {visit.query("notice").and_then(|code| notice(&code))}
        <div id="wait">{wait(sight)}</div>
        {again}
        {progress(sight)}
        <div class="split batch-split">
            <div>
                <div id="causes">{failures(sight)}</div>
                <div id="retries">{retries(&sight.retries)}</div>
            </div>
            <aside aria-label="Pace" id="pace">{pace(sight)}</aside>
        </div>
        <div id="latest">{latest(sight)}</div>
        {runs.then(|| view! { <LiveBatch events=format!("{here}/events")/> })}
    }
    .into_any()
}

/// What the form that led here did, besides what the page tells anyway.
fn notice(code: &str) -> Option<AnyView> {
    let (kind, title, text) = match code {
        "retried" => (
            NoticeKind::Done,
            "Trying again",
            "Each of these businesses has a new request, in this batch. The requests that failed stay as they are.",
        ),
        "retried_some" => (
            NoticeKind::Wait,
            "Trying again, but for some",
            "Those whose solution can not be used any more were left out and stay failed. Onboard them with another solution, or none.",
        ),
        "solution_unusable" => (
            NoticeKind::Error,
            "The solution can not be used any more",
            "It was deactivated, or is no longer your app’s. Nothing was sent. Onboard these businesses with another solution, or none.",
        ),
        "retried_before" => (
            NoticeKind::Info,
            "Tried again already",
            "Nothing was left to try again: this is the batch that did. Nothing was sent twice.",
        ),
        "nothing_to_retry" => (
            NoticeKind::Info,
            "Nothing to try again",
            "Each of these businesses was asked again since, or can not be asked any more. Nothing was sent.",
        ),
        _ => return None,
    };
    Some(view! { <Notice kind=kind title=title><p>{text}</p></Notice> }.into_any())
}

fn head(sight: &Sight) -> AnyView {
    let batch = sight.batch();
    let phase = sight.pulse.phase();
    let origin = batch.retry_of.map(|of| {
        view! { <Separator/><span>"Retry of "<a class="link" href=batch_url(of)>{format!("batch {of}")}</a></span> }
    });
    let started = batch.started_at.map(|at| view! { " "<Timestamp at=at now=sight.now/> });
    let cancelled = batch.cancelled.as_ref().map(|deed| {
        let (by, at) = (deed.by.clone(), deed.at);
        view! { <Separator/><span>"Cancelled by "<Name name=by/>" "<Timestamp at=at now=sight.now/></span> }
    });
    let number = (!batch.name.is_empty()).then(|| {
        view! { <span>{format!("Batch {}", batch.number)}</span><Separator/> }
    });
    let size = plural(batch.size, "business", "businesses");
    let by = batch.member_name.clone();
    view! {
        <PageHead title=batch.title() beside=phase_view(&phase, true) actions=actions(sight, &phase)>
            {number}
            <span>{size}</span>
            <Separator/>
            <span>"Started by "<Name name=by/>{started}</span>
            {origin}
            {cancelled}
        </PageHead>
    }
    .into_any()
}

fn actions(sight: &Sight, phase: &Phase) -> AnyView {
    let number = sight.batch().number;
    let moves = sight.may_send && sight.runs() && *phase != Phase::Cancelled;
    let hold = moves.then(|| {
        if matches!(phase, Phase::PausedBy(_)) {
            let button = view! { <button class="btn" type="submit"><Icon glyph=Glyph::Play/>"Resume"</button> };
            control("/onboarding/resume", number, button.into_any())
        } else {
            let button = view! { <button class="btn" type="submit"><Icon glyph=Glyph::Pause/>"Pause"</button> };
            control("/onboarding/pause", number, button.into_any())
        }
    });
    let cancel = moves.then(|| {
        view! { <a class="btn btn-danger" href=format!("{}/cancel", batch_url(number))>"Cancel the rest…"</a> }
    });
    let results = format!("{}/results.csv", batch_url(number));
    view! {
        {hold}
        {cancel}
        <a class="btn" href=results rel="external" download="">
            <Icon glyph=Glyph::Download/>"Download results (CSV)"
        </a>
    }
    .into_any()
}
