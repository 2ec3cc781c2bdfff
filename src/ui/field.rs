//! Form fields: label above, hint and error below and tied to the field.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

/// One option of a [`Select`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// What the form sends; empty for none.
    pub value: String,
    /// What is read, with the reason in words if it is disabled.
    pub word: String,
    /// The choice in force.
    pub selected: bool,
    /// It is shown, but can't be taken.
    pub disabled: bool,
}

/// A native select, named by its label. Hint and error are descriptions, outside the name.
///
/// ```text
/// view! { <Select id="solution" name="solution_id" label="Solution" choices=choices
///     hint="Optional. Links the request to a multi-partner solution."/> }
/// ```
#[component]
pub fn Select(
    id: &'static str,
    name: &'static str,
    label: &'static str,
    choices: Vec<Choice>,
    #[prop(optional)] hint: Option<&'static str>,
    /// What is wrong with the choice that was sent.
    #[prop(default = None)]
    error: Option<String>,
) -> AnyView {
    let (described, notes, invalid) = notes(id, hint, error);
    let options = choices
        .into_iter()
        .map(|choice| {
            view! { <option value=choice.value selected=choice.selected disabled=choice.disabled>{choice.word}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <span class="pick-one">
                <select class="select" id=id name=name aria-describedby=described aria-invalid=invalid>{options}</select>
                <Icon glyph=Glyph::Down/>
            </span>
            {notes}
        </div>
    }
    .into_any()
}

/// Text to stand in a `<textarea>`, for its `inner_html`: leptos 0.8.23 writes the children of one unescaped.
pub fn area_content(text: Option<String>) -> String {
    // A browser drops the first line break.
    text.map(|text| format!("\n{}", text.replace('&', "&amp;").replace('<', "&lt;"))).unwrap_or_default()
}

/// A one-line text field.
///
/// ```text
/// view! { <Field id="business" name="business_id" label="Business ID" value=typed error=error/> }
/// ```
#[component]
pub fn Field(
    id: &'static str,
    name: &'static str,
    label: &'static str,
    #[prop(optional, into)] value: String,
    /// The `type` of the input.
    #[prop(default = "text")]
    kind: &'static str,
    #[prop(optional)] hint: Option<&'static str>,
    /// What is wrong with what was sent.
    #[prop(default = None)]
    error: Option<String>,
    #[prop(optional)] disabled: bool,
    /// `off` for what a browser must not keep.
    #[prop(optional)]
    autocomplete: Option<&'static str>,
) -> AnyView {
    let (described, notes, invalid) = notes(id, hint, error);
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input
                class="input"
                id=id
                name=name
                type=kind
                value=value
                disabled=disabled
                autocomplete=autocomplete
                aria-describedby=described
                aria-invalid=invalid
            />
            {notes}
        </div>
    }
    .into_any()
}

/// The ids that describe a field, the notes with those ids, and the value of `aria-invalid`.
fn notes(
    id: &'static str,
    hint: Option<&'static str>,
    error: Option<String>,
) -> (Option<String>, AnyView, Option<&'static str>) {
    let hint_id = format!("{id}-hint");
    let error_id = format!("{id}-error");
    let mut ids = Vec::new();
    if error.is_some() {
        ids.push(error_id.as_str());
    }
    if hint.is_some() {
        ids.push(hint_id.as_str());
    }
    let described = (!ids.is_empty()).then(|| ids.join(" "));
    let invalid = error.is_some().then_some("true");
    let error = error.map(|error| view! { <p class="field-error" id=error_id><Icon glyph=Glyph::Alert/>{error}</p> });
    let hint = hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> });
    (described, view! { {error}{hint} }.into_any(), invalid)
}
