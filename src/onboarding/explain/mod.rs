//! What a request's state means to people: what happened, whose move it is, what to do, what to tell the client. Pure.
//!
//! The pages of this room and of support show it; both get the same words. Only actions that work are named.

mod codes;
mod failures;
mod line;
mod reminder;
mod ticket;

use time::OffsetDateTime;

use super::model::{AttemptCall, State};
use crate::{
    graph::Cause,
    ui::{Glyph, Hue, age, plural, state::look_of},
};

pub use codes::{Meaning, meaning};
pub use failures::{cause_words, token_words};
pub use line::{Line, Part};
pub use reminder::{Language, reminder};
pub use ticket::Ticket;

/// All that is explained.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Where the request stands.
    pub state: State,
    /// Why it waits or failed.
    pub cause: Option<Cause>,
    /// What Meta said in the last answer to it.
    pub said: Said<'a>,
    /// The business, by name.
    pub business_name: &'a str,
    /// Who asked, by name: their token is the one that is used.
    pub member_name: &'a str,
    /// Whether the reader is that member.
    pub reader_asked: bool,
    /// Whether that member's token is known not to work.
    pub token_dead: bool,
    /// Since when another request has stood, as Meta spelled the date.
    pub stands_since: Option<&'a str>,
    /// When Meta took it.
    pub answered_at: Option<OffsetDateTime>,
    /// How long an admin may let it lie before someone should ask.
    pub stalled_after: time::Duration,
    /// When it's tried again.
    pub retry_at: Option<OffsetDateTime>,
    /// Until when Meta asked us to send nothing at all.
    pub paused_until: Option<OffsetDateTime>,
    /// Now.
    pub now: OffsetDateTime,
}

/// What of Meta's answer matters for an explanation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said<'a> {
    /// Graph's subcode.
    pub subcode: Option<i64>,
    /// Graph's message, for developers.
    pub message: Option<&'a str>,
    /// Graph's message, to show.
    pub user_message: Option<&'a str>,
}

impl<'a> From<&'a AttemptCall> for Said<'a> {
    fn from(call: &'a AttemptCall) -> Self {
        Self { subcode: call.subcode, message: call.message.as_deref(), user_message: call.user_message.as_deref() }
    }
}

/// A state in plain words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub hue: Hue,
    pub glyph: Glyph,
    /// The heading.
    pub title: String,
    /// What happened and what it means.
    pub text: Vec<Line>,
    /// Whose move it is, to follow "What to do,"; `None`: the reader's, or nobody's.
    pub who: Option<&'static str>,
    /// What to do, in order; empty when nothing is to be done.
    pub steps: Vec<Line>,
    /// What the page offers, the main one first.
    pub actions: Vec<Action>,
    /// What the client may be told.
    pub client_note: Line,
}

/// Something a page offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ask again, with the same business and solution.
    Retry,
    /// Sign in with Facebook and come back.
    SignInAgain,
    /// Copy a [`Ticket`].
    CopyForSupport,
    /// Look the business's id up.
    CheckId,
    /// See the business and its WABAs.
    OpenBusiness,
    /// Copy [`reminder`].
    CopyReminder,
    /// Stop it before it's sent.
    Cancel,
}

/// What stands between signed terms and a WABA that is onboarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// A WABA lacks a valid payment method.
    Payment,
    /// Meta is setting a WABA up.
    SettingUp,
    /// Meta doesn't tell.
    Untold,
}

impl Obstacle {
    /// The one that needs somebody, of those that WABAs of one business may have.
    pub const fn of(needs_payment: bool, setting_up: bool) -> Self {
        match (needs_payment, setting_up) {
            (true, _) => Self::Payment,
            (false, true) => Self::SettingUp,
            (false, false) => Self::Untold,
        }
    }

    /// What it means.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Payment => {
                "The terms are signed. A WABA has no valid payment method, and waits until the client adds one."
            }
            Self::SettingUp => {
                "The terms are signed, and Meta is setting the WABAs up. That usually takes minutes. Nothing to do."
            }
            Self::Untold => {
                "The terms are signed. Meta has not told us yet that a WABA is onboarded; we ask every half hour at first."
            }
        }
    }

    /// What helps.
    pub const fn steps(self) -> &'static [&'static str] {
        match self {
            Self::Payment => &[
                "Ask the client to add a payment method in **WhatsApp Manager**.",
                "Nothing has to be sent again: Meta goes on by itself, and we watch for it.",
            ],
            Self::SettingUp | Self::Untold => &[],
        }
    }

    const fn who(self) -> Option<&'static str> {
        match self {
            Self::Payment => Some("for the client"),
            Self::SettingUp | Self::Untold => None,
        }
    }
}

const WAITING: &str = "Meta has e-mailed all admins. Someone with **full control** must accept in Business \
    Settings, under Requests. We watch for the answer.";

/// Who moves next, for what an admin of the partner must mend.
const WORKSPACE_ADMIN: Option<&str> = Some("for an admin of your workspace");

impl Explanation {
    /// One with the looks of the state.
    fn of(subject: &Subject<'_>, title: &str, text: &[&str]) -> Self {
        let look = look_of(subject.state.as_str());
        Self {
            hue: look.hue,
            glyph: look.icon,
            title: subject.line(title).to_string(),
            text: subject.lines(text),
            who: None,
            steps: Vec::new(),
            actions: Vec::new(),
            client_note: subject.line("There is nothing for you to do at the moment."),
        }
    }

    fn needs(mut self, who: Option<&'static str>, subject: &Subject<'_>, steps: &[&str]) -> Self {
        self.who = who;
        self.steps = subject.lines(steps);
        self
    }

    fn offers(mut self, actions: &[Action]) -> Self {
        self.actions = actions.to_vec();
        self
    }

    /// Says what stands between signed terms and a WABA that is onboarded, where Meta tells.
    #[must_use]
    pub fn with_obstacle(self, obstacle: Obstacle) -> Self {
        let plain = |text: &str| Line::fill(text, |_| None);
        Self {
            text: vec![plain(obstacle.words())],
            who: obstacle.who(),
            steps: obstacle.steps().iter().copied().map(plain).collect(),
            ..self
        }
    }

    fn tells(mut self, subject: &Subject<'_>, note: &str) -> Self {
        self.client_note = subject.line(note);
        self
    }
}

/// Explains a request.
pub fn explain(subject: &Subject<'_>) -> Explanation {
    match subject.state {
        State::Queued | State::WaitingToRetry if subject.token_dead => failures::token(subject),
        State::Queued if subject.paused_until.is_some() => failures::limit(subject).offers(&[Action::Cancel]),
        State::Queued => Explanation::of(subject, "Waiting for its turn", &["It is saved, and is sent by itself."])
            .offers(&[Action::Cancel]),
        State::Sending => Explanation::of(subject, "Sending to Meta", &["The call to Meta is under way."]),
        State::WaitingToRetry | State::Failed => failures::explain(subject),
        State::Requested | State::AlreadyRequested => waiting_for_admin(subject),
        State::TakenByAnotherPartner => Explanation::of(
            subject,
            "Taken by another partner",
            &["Meta takes one request per business; its WABAs onboard with it. Nothing to do."],
        )
        .tells(
            subject,
            "Another partner has already asked Meta to invite you. Accept that request: it covers all \
             your eligible WhatsApp accounts.",
        ),
        State::Accepted => Explanation::of(
            subject,
            "{business} has signed the terms",
            &["Meta sets up the eligible WABAs now. A WABA without a valid payment method waits until the client \
               adds one."],
        )
        .offers(&[Action::OpenBusiness])
        .tells(
            subject,
            "You have signed the terms. Meta sets up your WhatsApp accounts now. Check that each has \
             a valid payment method.",
        ),
        State::Ready => Explanation::of(
            subject,
            "{business} is ready",
            &["At least one WABA is onboarded to MM Lite. Nothing to do."],
        )
        .offers(&[Action::OpenBusiness])
        .tells(subject, "Your WhatsApp account is onboarded to MM Lite (Marketing Messages API for WhatsApp)."),
        State::Cancelled => Explanation::of(
            subject,
            "Stopped before it was sent",
            &["Nothing was sent to Meta, and nobody was e-mailed. The business can be asked again at any time."],
        )
        .offers(&[Action::OpenBusiness]),
    }
}

fn waiting_for_admin(subject: &Subject<'_>) -> Explanation {
    if let Some(days) = stalled_days(subject.state, subject.answered_at, subject.stalled_after, subject.now) {
        let title = format!("No admin has answered for {}", days_words(days));
        let stalled = Explanation::of(
            subject,
            &title,
            &["Nothing is broken. Meta has e-mailed all admins and keeps reminding them. After {patience} a message \
               from you helps most. Meta does not tell us when someone declines."],
        );
        return Explanation { hue: Hue::Amber, glyph: Glyph::Hourglass, ..stalled }
            .needs(
                None,
                subject,
                &[
                    "Send the reminder below to someone with **full control** of the portfolio. Only they can \
                     accept.",
                    "No such person? A new admin can take about 24 hours to be able to accept.",
                ],
            )
            .offers(&[Action::CopyReminder])
            .tells(subject, CLIENT_ACCEPT);
    }
    let waiting = if subject.state == State::AlreadyRequested {
        let since = if subject.stands_since.is_some() {
            "A request has stood since {since}. Meta kept it."
        } else {
            "A request for this business stood already. Meta kept it."
        };
        Explanation::of(subject, "Already requested", &[since, WAITING])
    } else {
        Explanation::of(subject, "Waiting for an admin of {business}", &[WAITING])
    };
    waiting.offers(&[Action::CopyReminder]).tells(subject, CLIENT_ACCEPT)
}

const CLIENT_ACCEPT: &str = "Meta has e-mailed the admins of {business}. Someone with full control accepts at \
    business.facebook.com, under Business Settings, Requests.";

/// How many whole days a request has lain with the client's admins, if that is longer than `after`: so long that someone should ask.
pub fn stalled_days(
    state: State,
    answered_at: Option<OffsetDateTime>,
    after: time::Duration,
    now: OffsetDateTime,
) -> Option<i64> {
    let waited = now - answered_at?;
    let waits = matches!(state, State::Requested | State::AlreadyRequested);
    (waits && waited > after).then(|| waited.whole_days())
}

/// So many days, in words.
pub fn days_words(days: i64) -> String {
    plural(days.unsigned_abs(), "day", "days")
}

impl Subject<'_> {
    fn line(&self, template: &str) -> Line {
        Line::fill(template, |name| self.value(name))
    }

    fn lines(&self, templates: &[&str]) -> Vec<Line> {
        templates.iter().map(|template| self.line(template)).collect()
    }

    /// A pause that lasts longer than the request's own wait holds it back, too.
    fn next_try(&self) -> Option<OffsetDateTime> {
        self.retry_at.max(self.paused_until)
    }

    /// What a template's `{name}` stands for.
    fn value(&self, name: &str) -> Option<Part> {
        match name {
            "business" => Some(Part::Name(self.business_name.to_owned())),
            "asker" => Some(Part::Name(self.member_name.to_owned())),
            "since" => self.stands_since.map(|since| Part::Name(since.to_owned())),
            "patience" => Some(Part::Words(days_words(self.stalled_after.whole_days()))),
            "retry" => self.next_try().map(Part::Time),
            "wait" => self.next_try().map(|at| Part::Words(wait_words(at - self.now))),
            "said" => self.said.words().map(|said| Part::Name(said.to_owned())),
            "token" => Some(Part::Words(token_words(self.said.subcode).to_owned())),
            _ => None,
        }
    }
}

impl<'a> Said<'a> {
    /// Meta's own words: those meant to be shown, else those for developers.
    fn words(&self) -> Option<&'a str> {
        self.user_message.filter(|words| !words.is_empty()).or(self.message.filter(|words| !words.is_empty()))
    }
}

/// How long until then, in the largest unit, rounded up: a wait must not look over while it lasts.
fn wait_words(left: time::Duration) -> String {
    let seconds = left.whole_seconds().max(0).unsigned_abs() + u64::from(left.subsec_nanoseconds() > 0);
    let unit = match seconds {
        0..60 => 1,
        60..3_600 => 60,
        3_600..86_400 => 3_600,
        _ => 86_400,
    };
    age(std::time::Duration::from_secs(seconds.div_ceil(unit) * unit))
}

#[cfg(test)]
mod tests;
