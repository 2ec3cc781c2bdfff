//! How a simulator is set up: sizes, secrets, limits, and the ways in which Meta's documents leave a choice.

use std::{net::SocketAddr, time::Duration};

use super::{faults::Chance, named::named};

/// The app whose secret, solutions and tokens are simulated.
pub const APP_ID: &str = "680000000000001";
/// Secret of [`APP_ID`].
pub const APP_SECRET: &str = "simulator-app-secret";
/// Another app: co-owner of some solutions, and owner of one that [`APP_ID`] has no part in.
pub const OTHER_APP_ID: &str = "680000000000002";
/// Business id of the first partner, Northlane Messaging.
pub const NORTHLANE: &str = "102000000000001";
/// Business id of the rival partner, Harbour Reach.
pub const HARBOUR_REACH: &str = "102000000000002";
/// A Facebook Login for Business configuration that gives user tokens.
pub const LOGIN_CONFIG_ID: &str = "770000000000001";
/// A Facebook Login for Business configuration that gives system user tokens, which never expire.
pub const SYSTEM_LOGIN_CONFIG_ID: &str = "770000000000002";

named! {
    /// What a partner is to Meta (facts 4.10).
    PartnerKind {
        /// Business Solution Provider: has on-behalf-of WABAs and sets mobility intents.
        Bsp = "bsp",
        /// Tech provider: shared WABAs only, never an intent.
        Tp = "tp",
    }
}

named! {
    /// A way in which the simulator departs from its plain behaviour: where documents disagree, where an app is set up
    /// differently, or where answers are known to be odd.
    Quirk {
        /// Ids are JSON numbers rather than strings (facts 2.7).
        IdsAsNumbers = "ids-as-numbers",
        /// Status values are in lower case, as in the SDK (facts 2.7).
        LowerCaseEnums = "lower-case-enums",
        /// Now and then a page is empty and still has a next one (facts 2.7).
        EmptyPages = "empty-pages",
        /// A last page has no `paging` at all (facts 2.6).
        LastPageWithoutPaging = "last-page-without-paging",
        /// Answers say `text/javascript; charset=UTF-8`, as Graph does for some clients.
        TextJavascript = "text-javascript",
        /// `owner_business_info` has no onboarding status inside (facts 4.11, undocumented combination).
        NoNestedStatus = "no-nested-status",
        /// A repeated request is refused with "already sent" rather than answered with its id (facts 1.6).
        AlreadySentOnRepeat = "already-sent-on-repeat",
        /// Refusals known by text only put it in `error_user_msg`, with "Invalid parameter" as the message (facts 4.8).
        RefusalInUserMessage = "refusal-in-user-message",
        /// App limits come with HTTP 429 rather than 400 (facts 7.1).
        ThrottleAs429 = "throttle-as-429",
        /// Every call needs `appsecret_proof` (facts 6.6).
        ProofRequired = "proof-required",
        /// The app lacks advanced access (facts 4.4).
        NoAdvancedAccess = "no-advanced-access",
        /// Onboarding takes system user tokens only (facts 4.5).
        SystemUserRequired = "system-user-required",
        /// The id of an onboarding request can be read (facts 1.12, a hypothesis).
        RequestReadable = "request-readable",
        /// Every webhook is delivered twice (facts 5.5).
        DuplicateWebhooks = "duplicate-webhooks",
    }
}

/// Where webhooks go.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Called back with GET to verify, then with POST.
    pub url: String,
    /// Sent as `hub.verify_token`.
    pub verify_token: String,
    /// Waited after a first failed delivery; doubled after each further one, to a minute.
    pub retry_after: Duration,
}

/// Everything a simulator is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Start of the URLs in answers. `None`: taken from each call's `Host`.
    pub public_url: Option<String>,
    /// The app's id.
    pub app_id: String,
    /// The app's secret.
    pub app_secret: String,
    /// Businesses of the first partner.
    pub businesses: usize,
    /// Businesses of the rival alone.
    pub rival_businesses: usize,
    /// Of the first partner's businesses, those the rival serves too (at most a fifth of them).
    pub shared_businesses: usize,
    /// The same seed gives the same world.
    pub seed: u64,
    /// What the first partner is.
    pub northlane: PartnerKind,
    /// What the rival is.
    pub rival: PartnerKind,
    /// Redirect URIs the app allows; empty allows any.
    pub redirect_uris: Vec<String>,
    /// Admins accept this long after a request; `None`: only when told to.
    pub accept_after: Option<Duration>,
    /// A signed WABA is set up after this long; one that lacks a payment method takes six times as long.
    pub setup_after: Duration,
    /// Where webhooks go; `None`: nowhere.
    pub webhook: Option<Webhook>,
    /// Calls the app may make in an hour (code 4); `None`: as many as it likes.
    pub limit_per_hour: Option<u32>,
    /// WhatsApp management and onboarding calls a partner may make in an hour (code 80008).
    pub partner_limit_per_hour: Option<u32>,
    /// Minutes to regain access that a throttling fault names.
    pub regain_minutes: u32,
    /// Waited before each Graph answer.
    pub latency: Duration,
    /// Departures from plain behaviour.
    pub quirks: Vec<Quirk>,
    /// Faults that strike by chance.
    pub chances: Vec<Chance>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_url: None,
            app_id: APP_ID.to_owned(),
            app_secret: APP_SECRET.to_owned(),
            businesses: 3000,
            rival_businesses: 50,
            shared_businesses: 12,
            seed: 1,
            northlane: PartnerKind::Bsp,
            rival: PartnerKind::Tp,
            redirect_uris: Vec::new(),
            accept_after: None,
            setup_after: Duration::from_mins(10),
            webhook: None,
            limit_per_hour: None,
            partner_limit_per_hour: None,
            regain_minutes: 5,
            latency: Duration::ZERO,
            quirks: Vec::new(),
            chances: Vec::new(),
        }
    }
}
