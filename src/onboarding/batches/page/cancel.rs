//! `/batches/{number}/cancel`: the question before what isn't sent yet is stopped for good.

use leptos::prelude::*;

use super::{
    super::{
        model::{Batch, Source},
        store,
    },
    batch_url, control, number_of,
};
use crate::{
    sign_in::{Page, Visit},
    telemetry::mishap,
    ui::{AppError, Breadcrumbs, Lead, PageHead, Panel, isolated, plural},
};

/// The page.
///
/// # Errors
/// `NotFound` for what is no started batch of this partner; `Forbidden` for those who may not stop one.
pub async fn cancel_page(visit: Visit) -> Result<Page, AppError> {
    let number = number_of(&visit)?;
    let mut tx = visit.tenant().await?;
    let batch = store::find_batch(&mut tx, number, visit.clock.now()).await.map_err(mishap)?;
    let batch = batch.filter(|batch| batch.source != Source::Click && batch.started_at.is_some());
    let batch = batch.ok_or(AppError::NotFound)?;
    if !visit.viewer.role.may_onboard() {
        return Err(AppError::Forbidden);
    }
    let (unsent, doubtful) = store::stoppable(&mut tx, number).await.map_err(mishap)?;
    let title = format!("Cancel the rest of {}?", isolated(&batch.title()));
    let view = view! {
        <Breadcrumbs
            above=vec![("Batches", "/batches".to_owned()), ("Batch", batch_url(number))]
            here="Cancel the rest"
        />
        <PageHead title=title.clone()/>
        {question(&batch, unsent, doubtful)}
    };
    Ok(Page { title, view: view.into_any() })
}

fn question(batch: &Batch, unsent: u64, doubtful: u64) -> AnyView {
    let back = batch_url(batch.number);
    let open = unsent > 0 && batch.cancelled.is_none();
    let heading = if open {
        format!("{} not been sent", plural(unsent, "request has", "requests have"))
    } else {
        "Nothing is left to cancel".to_owned()
    };
    let doubt = (doubtful > 0).then(|| {
        let words = plural(doubtful, "request has left and its", "requests have left and their");
        view! { <p class="sm">{words}" outcome is not known yet. Meta may hold it already, so it is settled first."</p> }
    });
    let text = open.then(|| {
        view! {
            <p>"They are stopped for good, and nobody is e-mailed for them. What Meta has taken stays as it is: an e-mail \
                cannot be called back. The businesses can be asked again at any time."</p>
        }
    });
    let button = open.then(|| {
        let word = format!("Cancel {}", plural(unsent, "request", "requests"));
        let button = view! { <button class="btn btn-danger" type="submit">{word}</button> };
        control("/onboarding/cancel-rest", batch.number, button.into_any())
    });
    let keep = if open { "Keep sending" } else { "Back to the batch" };
    view! {
        <Panel named_by="rest">
            <div class="panel-body stack">
                <Lead id="rest" title=heading>{text}{doubt}</Lead>
                <div class="row">{button}<a class="btn" href=back>{keep}</a></div>
            </div>
        </Panel>
    }
    .into_any()
}
