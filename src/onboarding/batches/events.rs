//! `GET /batches/{number}/events`: server-sent events, one whenever the batch stands differently.
//!
//! An event's id is the version of what stands on the page, so that a page knows whether it's out of date; its data is the counts
//! as JSON. The first event is always the state at that moment.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Path, State},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures::Stream;
use http::{HeaderValue, StatusCode, header::CACHE_CONTROL, request::Parts};
use serde_json::json;
use time::OffsetDateTime;
use tokio::sync::watch;

use super::{
    live::Live,
    model::{Pulse, Source},
    routes::Rooms,
};
use crate::{
    onboarding::model::State as RequestState,
    reconcile::{CancellationToken, pause},
    sign_in::Presence,
    telemetry::mishap,
};

/// How often something is sent where nothing happens, so that nobody between takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How often a viewer is looked at again: who signed out, or was removed, is shown nothing more.
const RECHECK: Duration = Duration::from_mins(1);

/// How long a browser waits before it connects again.
const RECONNECT: Duration = Duration::from_secs(2);

pub(super) async fn events(State(rooms): State<Rooms>, Path(number): Path<String>, parts: Parts) -> Response {
    let presence = match Presence::of(&rooms.sign_in, &parts) {
        Ok(presence) => presence,
        Err(refusal) => return *refusal,
    };
    let Ok(number) = number.parse() else { return StatusCode::NOT_FOUND.into_response() };
    // Joined before the first look, so that nothing in between is missed.
    let news = rooms.live.join(&presence.viewer.partner, number);
    let first = match rooms.live.look(&presence.viewer.partner, number).await {
        Ok(Some(pulse)) if pulse.batch.source != Source::Click && pulse.batch.started_at.is_some() => pulse,
        Ok(_) => return StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            let error = mishap(error);
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            return (status, format!("{error}\n")).into_response();
        }
    };
    let viewing = Viewing {
        checked_at: rooms.live.clock.now(),
        presence,
        stop: rooms.live.stop.clone(),
        live: rooms.live,
        news,
        next: Some(Arc::new(first)),
        sent: None,
    };
    let mut answer = Sse::new(viewing.stream()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that gather answers before they hand them on are told not to.
    answer.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    answer
}

/// One viewer of a batch.
struct Viewing {
    presence: Presence,
    checked_at: OffsetDateTime,
    stop: CancellationToken,
    live: Live,
    news: watch::Receiver<Option<Arc<Pulse>>>,
    /// To be sent, if it differs from what was sent last.
    next: Option<Arc<Pulse>>,
    /// The version sent last.
    sent: Option<String>,
}

impl Viewing {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> + Send {
        futures::stream::unfold(self, |mut viewing| async move {
            let event = viewing.next_event().await?;
            Some((Ok(event), viewing))
        })
    }

    /// The next event; `None` when the process ends, or the viewer is nobody's any more.
    async fn next_event(&mut self) -> Option<Event> {
        loop {
            if !self.may_stay().await {
                return None;
            }
            if let Some(pulse) = self.next.take() {
                let version = pulse.version();
                if self.sent.as_ref() != Some(&version) {
                    let event = Event::default().id(&version).data(summary(&pulse, &version));
                    let first = self.sent.replace(version).is_none();
                    return Some(if first { event.retry(RECONNECT) } else { event });
                }
            }
            tokio::select! {
                () = self.stop.cancelled() => return None,
                changed = self.news.changed() => {
                    changed.ok()?;
                    self.next.clone_from(&self.news.borrow_and_update());
                }
                () = pause(RECHECK) => {}
            }
        }
    }

    async fn may_stay(&mut self) -> bool {
        let now = self.live.clock.now();
        if now - self.checked_at < RECHECK {
            return true;
        }
        self.checked_at = now;
        self.presence.lasts().await
    }
}

/// The counts, for programs; the page reads the version alone.
fn summary(pulse: &Pulse, version: &str) -> String {
    let counts: serde_json::Map<String, serde_json::Value> =
        RequestState::ALL.iter().map(|state| (state.to_string(), pulse.counts.of(*state).into())).collect();
    json!({
        "version": version,
        "phase": pulse.phase().words(),
        "size": pulse.batch.size,
        "answered": pulse.counts.answered(),
        "counts": counts,
    })
    .to_string()
}
