//! The pages of this folder: the list of batches, one batch, and the question before the rest of one is cancelled.
//!
//! One batch is made of parts with an id each, which [`super::LiveBatch`] takes over one by one.

mod batch;
mod cancel;
mod failures;
mod latest;
mod list;
mod pace;
mod progress;

use leptos::prelude::*;

use super::model::{BatchNumber, Phase};
use crate::{
    sign_in::Visit,
    ui::{AppError, Glyph, Hue, Icon},
};

pub use self::{batch::batch_page, cancel::cancel_page, list::batches_page};

fn batch_url(number: BatchNumber) -> String {
    format!("/batches/{number}")
}

/// The batch an address names.
fn number_of(visit: &Visit) -> Result<BatchNumber, AppError> {
    visit.param("number").and_then(|number| number.parse().ok()).ok_or(AppError::NotFound)
}

const fn look(phase: &Phase) -> (Glyph, Hue) {
    match phase {
        Phase::Draft => (Glyph::Queued, Hue::Grey),
        Phase::Running => (Glyph::Sending, Hue::Blue),
        Phase::WaitingForMeta => (Glyph::WaitingToRetry, Hue::Amber),
        Phase::SignInAgain => (Glyph::Key, Hue::Amber),
        Phase::PausedBy(_) => (Glyph::Pause, Hue::Grey),
        Phase::Cancelled => (Glyph::Cancelled, Hue::Grey),
        Phase::Done => (Glyph::Ready, Hue::Green),
    }
}

/// A phase: as a pill in a page's head, else as in a table.
fn phase_view(phase: &Phase, pill: bool) -> AnyView {
    let (glyph, hue) = look(phase);
    let pill = if pill { " pill" } else { "" };
    let turning = if *phase == Phase::Running { " sending" } else { "" };
    let class = format!("state{pill} {}{turning}", hue.class());
    view! { <span class=class><Icon glyph=glyph/><bdi>{phase.words()}</bdi></span> }.into_any()
}

/// A form that does one thing to a batch.
fn control(action: &'static str, number: BatchNumber, button: AnyView) -> AnyView {
    view! {
        <form method="post" action=action>
            <input type="hidden" name="batch" value=number.to_string()/>
            {button}
        </form>
    }
    .into_any()
}
