//! What a batch is: the types its pages show.

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    str::FromStr,
};

use time::{Duration, OffsetDateTime};

use crate::{
    graph::SolutionId,
    onboarding::model::{RequestNumber, State},
};

/// Our number of a batch, as it stands in addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchNumber(pub i64);

impl fmt::Display for BatchNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for BatchNumber {
    type Err = NotABatchNumber;

    /// Digits, at most 18 of them, and nothing else.
    fn from_str(text: &str) -> Result<Self, NotABatchNumber> {
        if text.is_empty() || text.len() > 18 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotABatchNumber);
        }
        text.parse().map(Self).map_err(|_| NotABatchNumber)
    }
}

/// The text isn't digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a batch number is digits")]
pub struct NotABatchNumber;

/// What a member did to make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A click on one business: it has no page of its own.
    Click,
    /// A selection in the list.
    Selection,
    /// A file, or pasted ids.
    List,
    /// Failures of another batch, tried again.
    Retry,
}

impl Source {
    /// A value that a CHECK constraint already guards.
    pub fn from_stored(text: &str) -> Self {
        match text {
            "selection" => Self::Selection,
            "list" => Self::List,
            "retry" => Self::Retry,
            _ => Self::Click,
        }
    }
}

/// When something was done, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    pub at: OffsetDateTime,
    pub by: String,
}

/// A batch without its requests.
#[derive(Clone, Debug)]
pub struct Batch {
    pub number: BatchNumber,
    pub source: Source,
    /// What the member calls it; empty for none.
    pub name: String,
    /// Whose token sends it, unless the partner keeps a system user's.
    pub member_id: i64,
    pub member_name: String,
    pub solution_id: Option<SolutionId>,
    /// The solution's name, while we know it.
    pub solution_name: Option<String>,
    /// `None`: a draft.
    pub started_at: Option<OffsetDateTime>,
    /// Requests it made.
    pub size: u64,
    pub retry_of: Option<BatchNumber>,
    pub paused: Option<Deed>,
    pub cancelled: Option<Deed>,
    /// There is no token it could be sent with.
    pub lacks_token: bool,
}

impl Batch {
    /// Its name, or else its number in words.
    pub fn title(&self) -> String {
        if self.name.is_empty() { format!("Batch {}", self.number) } else { self.name.clone() }
    }

    /// Its number, and its name where it has one: names aren't unique.
    pub fn long_title(&self) -> String {
        if self.name.is_empty() { self.title() } else { format!("Batch {} ({})", self.number, self.name) }
    }
}

/// How many requests of a batch are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Counts([u64; State::ALL.len()]);

impl Counts {
    /// From the states that occur.
    pub fn new(counted: impl IntoIterator<Item = (State, u64)>) -> Self {
        let mut counts = Self::default();
        for (state, n) in counted {
            if let Some(at) = State::ALL.iter().position(|known| *known == state) {
                counts.0[at] += n;
            }
        }
        counts
    }

    /// In one state.
    pub fn of(&self, state: State) -> u64 {
        State::ALL.iter().position(|known| *known == state).map_or(0, |at| self.0[at])
    }

    /// In any of these.
    pub fn among(&self, states: &[State]) -> u64 {
        states.iter().map(|state| self.of(*state)).sum()
    }

    /// Requests in all.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Those that dispatch isn't done with.
    pub fn open(&self) -> u64 {
        self.among(&[State::Queued, State::Sending, State::WaitingToRetry])
    }

    /// Those Meta has answered for good.
    pub fn answered(&self) -> u64 {
        self.total() - self.open() - self.of(State::Cancelled)
    }
}

/// Why nothing of a partner is sent for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hold {
    /// Meta said to wait.
    Told,
    /// The limit is all but used up, and we hold back before Meta has to say so.
    NearLimit,
    /// Nobody answers at Meta.
    Away,
}

impl Hold {
    /// Reads `paces.cause`.
    pub fn from_stored(cause: &str) -> Self {
        match cause {
            "near_limit" => Self::NearLimit,
            "meta_away" => Self::Away,
            _ => Self::Told,
        }
    }
}

/// A time before which nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wait {
    pub until: OffsetDateTime,
    pub since: OffsetDateTime,
    pub hold: Hold,
}

/// What Meta last said of the limits a partner is under, its own and its app's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Limit {
    /// Percent of the call limit used up, if Meta named it within the last hour; all of it while Meta has us wait.
    pub used_percent: Option<u8>,
    /// While it lasts.
    pub wait: Option<Wait>,
}

/// For how long a percentage that Meta named says anything.
pub const USAGE_HOLDS: Duration = Duration::hours(1);

/// One of the limits, as it is kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeptLimit {
    pub used: Option<(u8, OffsetDateTime)>,
    pub wait: Option<Wait>,
}

impl Limit {
    /// The worst of several limits as of now.
    pub fn of(kept: &[KeptLimit], now: OffsetDateTime) -> Self {
        let fresh = kept.iter().filter_map(|kept| kept.used).filter(|(_, at)| now - *at < USAGE_HOLDS);
        let waits = kept.iter().filter_map(|kept| kept.wait).filter(|wait| wait.until > now);
        // What calls are refused for is used up, whatever was said of it last.
        let full = waits.clone().any(|wait| wait.hold == Hold::Told).then_some(100);
        let used_percent = full.or(fresh.map(|(percent, _)| percent).max());
        Self { used_percent, wait: waits.max_by_key(|wait| wait.until) }
    }
}

/// All that decides whether a batch's page looks different.
#[derive(Clone, Debug)]
pub struct Pulse {
    pub batch: Batch,
    pub counts: Counts,
    pub limit: Limit,
    /// When an answer of it last came.
    pub answered_at: Option<OffsetDateTime>,
}

impl Pulse {
    /// Differs whenever the page would.
    pub fn version(&self) -> String {
        let mut hasher = DefaultHasher::new();
        let deed = |deed: &Option<Deed>| deed.as_ref().map(|deed| deed.at);
        (self.batch.number, &self.batch.name, deed(&self.batch.paused), deed(&self.batch.cancelled)).hash(&mut hasher);
        (self.batch.lacks_token, self.counts, self.limit, self.answered_at).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// Where it stands.
    pub fn phase(&self) -> Phase {
        Phase::of(&Standing {
            started: self.batch.started_at.is_some(),
            open: self.counts.open(),
            paused_by: self.batch.paused.as_ref().map(|deed| deed.by.as_str()),
            cancelled: self.batch.cancelled.is_some(),
            lacks_token: self.batch.lacks_token,
            waits: self.limit.wait.is_some(),
        })
    }
}

/// What the phase of a batch is judged by.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and any may go with any")]
pub struct Standing<'a> {
    pub started: bool,
    /// Requests dispatch isn't done with.
    pub open: u64,
    pub paused_by: Option<&'a str>,
    pub cancelled: bool,
    pub lacks_token: bool,
    pub waits: bool,
}

/// Where a batch stands, in a word or two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    Draft,
    Running,
    WaitingForMeta,
    SignInAgain,
    PausedBy(String),
    Cancelled,
    Done,
}

impl Phase {
    /// What holds it longest is named: a person's pause before a token, a token before Meta's limit.
    pub fn of(standing: &Standing<'_>) -> Self {
        match *standing {
            Standing { started: false, .. } => Self::Draft,
            Standing { cancelled: true, .. } => Self::Cancelled,
            Standing { open: 0, .. } => Self::Done,
            Standing { paused_by: Some(name), .. } => Self::PausedBy(name.to_owned()),
            Standing { lacks_token: true, .. } => Self::SignInAgain,
            Standing { waits: true, .. } => Self::WaitingForMeta,
            _ => Self::Running,
        }
    }

    /// The exact words shown and spoken.
    pub fn words(&self) -> String {
        match self {
            Self::Draft => "Draft".to_owned(),
            Self::Running => "Running".to_owned(),
            Self::WaitingForMeta => "Waiting for Meta".to_owned(),
            Self::SignInAgain => "Sign in again".to_owned(),
            Self::PausedBy(name) => format!("Paused by {name}"),
            Self::Cancelled => "Cancelled".to_owned(),
            Self::Done => "Done".to_owned(),
        }
    }
}

/// Failures of a batch that have one cause.
#[derive(Clone, Debug)]
pub struct Failures {
    /// `graph::Cause` by name.
    pub cause: String,
    pub count: u64,
    /// Those whose business wasn't asked again since and may be; counted up to [`RETRIES_COUNTED`].
    pub retriable: u64,
    /// What Meta said to the newest of them; `None` where nothing was called or kept.
    pub example: Option<Example>,
}

/// As many retriable failures of a cause are counted one by one.
pub const RETRIES_COUNTED: u64 = 1_000;

/// An answer of Meta's that stands for others like it.
#[derive(Clone, Debug, Default)]
pub struct Example {
    pub code: Option<i64>,
    pub subcode: Option<i64>,
    pub message: Option<String>,
    pub user_message: Option<String>,
    pub fbtrace_id: Option<String>,
}

/// A request that was answered lately, as the batch's page lists it.
#[derive(Clone, Debug)]
pub struct Answered {
    pub number: RequestNumber,
    pub business_id: String,
    pub business_name: String,
    pub state: State,
    pub meta_request_id: Option<String>,
    pub cause: Option<String>,
    pub changed_at: OffsetDateTime,
}

/// A line of the list of batches.
#[derive(Clone, Debug)]
pub struct ListedBatch {
    pub number: BatchNumber,
    pub name: String,
    pub phase: Phase,
    pub size: u64,
    pub answered: u64,
    pub member_name: String,
    /// When it was started, or drafted.
    pub at: Option<OffsetDateTime>,
}

#[cfg(test)]
pub(super) mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-24 10:42 UTC);

    #[test]
    fn a_batch_number_is_digits_and_nothing_else() {
        assert_eq!("118".parse(), Ok(BatchNumber(118)));
        for text in ["", "-1", "+1", "1.0", "LB-1", "118 ", "１", "9999999999999999999"] {
            assert_eq!(text.parse::<BatchNumber>(), Err(NotABatchNumber), "{text:?}");
        }
    }

    #[test]
    fn every_state_is_open_answered_or_cancelled() {
        for state in State::ALL {
            let counts = Counts::new([(state, 3)]);
            assert_eq!((counts.of(state), counts.total()), (3, 3), "{state}");
            let cancelled = counts.of(State::Cancelled);
            assert_eq!(counts.open() + counts.answered() + cancelled, 3, "{state}");
            let under_way = matches!(state, State::Queued | State::Sending | State::WaitingToRetry);
            assert_eq!(counts.open() > 0, under_way, "{state}");
            assert_eq!(counts.answered() > 0, !under_way && state != State::Cancelled, "{state}");
        }
    }

    #[test]
    fn the_phase_names_what_holds_a_batch_longest() {
        let running =
            Standing { started: true, open: 5, paused_by: None, cancelled: false, lacks_token: false, waits: false };
        let held = Standing { paused_by: Some("Ines"), lacks_token: true, waits: true, ..running };
        for (standing, words) in [
            (running, "Running"),
            (Standing { waits: true, ..running }, "Waiting for Meta"),
            (Standing { waits: true, lacks_token: true, ..running }, "Sign in again"),
            (held, "Paused by Ines"),
            (Standing { open: 0, ..held }, "Done"),
            (Standing { cancelled: true, ..held }, "Cancelled"),
            (Standing { cancelled: true, open: 0, ..held }, "Cancelled"),
            (Standing { started: false, ..held }, "Draft"),
        ] {
            assert_eq!(Phase::of(&standing).words(), words, "{standing:?}");
        }
    }

    #[test]
    fn of_several_limits_the_worst_counts_while_it_is_fresh() {
        let wait = |minutes, hold| {
            Some(Wait { until: NOW + Duration::minutes(minutes), since: NOW - Duration::minutes(1), hold })
        };
        let kept = |percent, ago: i64, wait| KeptLimit { used: Some((percent, NOW - Duration::minutes(ago))), wait };
        for (limits, percent, hold) in [
            (vec![], None, None),
            (vec![KeptLimit::default()], None, None),
            (vec![kept(40, 5, None), kept(80, 10, None)], Some(80), None),
            (vec![kept(40, 5, None), kept(80, 60, None)], Some(40), None),
            (vec![kept(99, 61, wait(0, Hold::Told))], None, None),
            (
                vec![kept(99, 0, wait(1, Hold::NearLimit)), kept(100, 0, wait(4, Hold::Told))],
                Some(100),
                Some(Hold::Told),
            ),
            (
                vec![kept(99, 0, wait(1, Hold::NearLimit)), kept(9, 0, wait(-1, Hold::Told))],
                Some(99),
                Some(Hold::NearLimit),
            ),
            (vec![kept(7, 0, wait(4, Hold::Told))], Some(100), Some(Hold::Told)),
            (vec![kept(7, 0, wait(4, Hold::Away))], Some(7), Some(Hold::Away)),
        ] {
            let limit = Limit::of(&limits, NOW);
            assert_eq!((limit.used_percent, limit.wait.map(|wait| wait.hold)), (percent, hold), "{limits:?}");
        }
    }

    pub(in crate::onboarding::batches) fn pulse(counted: &[(State, u64)]) -> Pulse {
        let counts = Counts::new(counted.iter().copied());
        let batch = Batch {
            number: BatchNumber(118),
            source: Source::Selection,
            name: "India and Brazil, November".into(),
            member_id: 1,
            member_name: "Ines Carvalho".into(),
            solution_id: None,
            solution_name: None,
            started_at: Some(NOW - Duration::minutes(13)),
            size: counts.total(),
            retry_of: None,
            paused: None,
            cancelled: None,
            lacks_token: false,
        };
        Pulse { batch, counts, limit: Limit::default(), answered_at: Some(NOW) }
    }

    #[test]
    fn whatever_changes_the_page_changes_the_version_and_nothing_else_does() {
        let seen = pulse(&[(State::Queued, 4), (State::Requested, 2)]);
        assert_eq!(seen.version(), seen.clone().version());
        let deed = || Some(Deed { at: NOW, by: "Ines".into() });
        let wait = Wait { until: NOW, since: NOW, hold: Hold::Told };
        let mut others = vec![seen.clone(); 7];
        others[0].counts = Counts::new([(State::Queued, 3), (State::Requested, 3)]);
        others[1].batch.paused = deed();
        others[2].batch.cancelled = deed();
        others[3].batch.lacks_token = true;
        others[4].limit.wait = Some(wait);
        others[5].limit.used_percent = Some(80);
        others[6].answered_at = None;
        let mut versions: Vec<String> = others.iter().chain([&seen]).map(Pulse::version).collect();
        versions.sort();
        versions.dedup();
        assert_eq!(versions.len(), 8);
    }
}
