//! `/import`: where a list comes in, as a file or pasted.

use leptos::prelude::*;

use super::{super::model::Source, problem_notice, steps};
use crate::{
    sign_in::{Page, Visit},
    ui::{AppError, Breadcrumbs, Panel, area_content},
};

/// The page.
///
/// # Errors
/// [`AppError::Forbidden`] for those who send nothing.
pub async fn import_page(visit: Visit) -> Result<Page, AppError> {
    if !visit.viewer.role.may_onboard() {
        return Err(AppError::Forbidden);
    }
    let view = view! {
        <Breadcrumbs above=vec![("Businesses", "/businesses".to_owned())] here="Import CSV"/>
        <div class="page-head">
            <div>
                <div class="title"><h1>"Import a list of businesses"</h1></div>
                <p class="page-sub"><span>"Nothing is sent from here: you see what becomes of each row first"</span></p>
            </div>
            {steps(Source::List, 0)}
        </div>
        {problem_notice(&visit)}
        {form(visit.unsent("/import", "ids"))}
    };
    Ok(Page { title: "Import CSV".to_owned(), view: view.into_any() })
}

/// `typed` didn't go through before.
pub(super) fn form(typed: Option<String>) -> AnyView {
    view! {
        <Panel named_by="list">
            <form class="panel-body stack" method="post" action="/import" enctype="multipart/form-data">
                <h2 id="list">"One business per row"</h2>
                <div class="field">
                    <label for="file">"CSV file"</label>
                    <input class="input" id="file" type="file" name="file" accept=".csv,.tsv,.txt,text/csv,text/plain"
                        aria-describedby="file-hint"/>
                    <p class="hint" id="file-hint">
                        "Up to 100,000 rows and 10 MB. A header such as business_id, name, solution_id is understood; without one, \
                         the column with the IDs is found. WABA IDs are led to their business."
                    </p>
                </div>
                <div class="field">
                    <label for="ids">"Or paste business IDs"</label>
                    <textarea class="input" id="ids" name="ids" rows="8" spellcheck="false" autocomplete="off"
                        aria-describedby="ids-hint" inner_html=area_content(typed)></textarea>
                    <p class="hint" id="ids-hint">"One per line, or rows copied from a spreadsheet. Used when no file is chosen."</p>
                </div>
                <div class="row">
                    <button class="btn btn-primary" type="submit">"Check the list"</button>
                    <a class="btn btn-quiet" href="/businesses">"Back"</a>
                </div>
            </form>
        </Panel>
    }
    .into_any()
}
