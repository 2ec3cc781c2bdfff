//! The message to the client's admins: in which language, the text, the button that copies it, and where they find the request.

use leptos::prelude::*;

use crate::{
    graph::BusinessId,
    onboarding::explain::{Language, reminder},
    sign_in::Visit,
    ui::CopyTextButton,
};

/// What the message is written from.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The business, by name.
    pub name: String,
    pub business_id: BusinessId,
    /// Meta's id of the request, where one stands.
    pub request_id: Option<String>,
    /// The language the address asks for.
    pub asked: Option<Language>,
    /// Where the business is, as Meta spells it: it says which language is offered first.
    pub country: Option<String>,
    /// The path of the page: the other languages are links to it.
    pub here: String,
}

impl Letter {
    /// The language the address asks for.
    pub fn asked_for(visit: &Visit) -> Option<Language> {
        visit.query("reminder").as_deref().and_then(Language::from_key)
    }

    fn language(&self) -> Language {
        self.asked.unwrap_or_else(|| Language::of_country(self.country.as_deref()))
    }

    /// The message.
    pub fn text(&self) -> String {
        reminder(self.language(), &self.name, self.request_id.as_deref())
    }

    /// The button that copies it.
    pub fn button(&self, word: &'static str, primary: bool) -> AnyView {
        view! { <CopyTextButton word=word text=self.text() primary=primary/> }.into_any()
    }

    /// The text, the way to the other languages, and the place at Meta.
    pub fn view(&self) -> AnyView {
        let languages = Language::ALL
            .into_iter()
            .map(|language| {
                let href = format!("{}?reminder={}#reminder", self.here, language.key());
                let current = (language == self.language()).then_some("true");
                view! { <a href=href lang=language.key() hreflang=language.key() aria-current=current>{language.word()}</a> }
            })
            .collect_view();
        let place = format!("https://business.facebook.com/settings/requests?business_id={}", self.business_id);
        view! {
            <div class="letter" id="reminder">
                <nav class="seg seg-links" aria-label="Language of the reminder">{languages}</nav>
                <pre class="code prose" tabindex="0" role="region" aria-label="Reminder text" lang=self.language().key()>{self.text()}</pre>
                <p class="hint">
                    "The place at Meta: "
                    <a class="link" href=place rel="noreferrer">"business.facebook.com, Business Settings, Requests"</a>
                    ". Only people of the client see it there."
                </p>
            </div>
        }
        .into_any()
    }
}
