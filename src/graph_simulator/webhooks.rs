//! Delivery of webhooks: verified once, signed, tried again until taken (facts 5.1 to 5.5).

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};
use url::Url;

use super::{
    clock::pause,
    opaque::{Opaque, hmac_hex},
    options::Quirk,
    outbound::exchange,
    shared::Shared,
};

/// Tries before an update is dropped; Meta gives up after days.
const TRIES: u32 = 20;
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// How long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where updates are put to be delivered, and how many still wait.
#[derive(Debug)]
pub(super) struct Mailbox {
    sender: mpsc::UnboundedSender<Vec<u8>>,
    waiting: watch::Sender<u64>,
    delivered: AtomicU64,
}

impl Mailbox {
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Vec<u8>>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { sender, waiting: watch::Sender::new(0), delivered: AtomicU64::new(0) }, receiver)
    }

    pub(super) fn put(&self, body: Vec<u8>) {
        self.waiting.send_modify(|waiting| *waiting += 1);
        if self.sender.send(body).is_err() {
            self.done(false);
        }
    }

    fn done(&self, delivered: bool) {
        if delivered {
            self.delivered.fetch_add(1, Ordering::Relaxed);
        }
        self.waiting.send_modify(|waiting| *waiting = waiting.saturating_sub(1));
    }

    pub(super) fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Waits until every update was taken or dropped.
    pub(super) async fn settled(&self) {
        let mut waiting = self.waiting.subscribe();
        // The sender lives as long as `self`, so waiting can't fail.
        let _ = waiting.wait_for(|waiting| *waiting == 0).await;
    }
}

impl Shared {
    /// Puts updates in the mailbox, if webhooks go anywhere.
    pub(super) fn tell(&self, updates: Vec<Value>) {
        if self.webhook().is_none() {
            return;
        }
        let copies = if self.has(Quirk::DuplicateWebhooks) { 2 } else { 1 };
        for update in updates {
            for _ in 0..copies {
                self.mailbox.put(update.to_string().into_bytes());
            }
        }
    }
}

/// Delivers what is in the mailbox, in order, until the simulator stops. It is a task of its own.
pub(super) async fn deliver(shared: std::sync::Arc<Shared>, mut letters: mpsc::UnboundedReceiver<Vec<u8>>) {
    let mut verified_url = None;
    while let Some(body) = letters.recv().await {
        let Some((webhook, url)) =
            shared.webhook().and_then(|webhook| Url::parse(&webhook.url).ok().map(|url| (webhook, url)))
        else {
            tracing::error!("webhooks can't go to the URL that was given");
            shared.mailbox.done(false);
            continue;
        };
        let mut verified = verified_url.as_ref() == Some(&url);
        let signature = format!("sha256={}", hmac_hex(&shared.options.app_secret, &body));
        let mut wait = webhook.retry_after;
        let mut taken = false;
        for _ in 0..TRIES {
            if !verified {
                verified = verify(&url, &webhook.verify_token, &shared.opaque).await;
            }
            taken = verified && send(&url, &signature, &body).await;
            if taken {
                break;
            }
            pause(wait).await;
            wait = (wait * 2).min(LONGEST_PAUSE);
        }
        if !taken {
            tracing::warn!(url = webhook.url, "a webhook was dropped after {TRIES} tries");
        }
        verified_url = verified.then_some(url);
        shared.mailbox.done(taken);
    }
}

/// Meta's question before it sends anything (facts 5.1).
async fn verify(url: &Url, verify_token: &str, opaque: &Opaque) -> bool {
    let challenge = (1_000_000_000 + opaque.number() % 1_000_000_000).to_string();
    let mut url = url.clone();
    url.query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", &challenge)
        .append_pair("hub.verify_token", verify_token);
    let answer = timeout(PATIENCE, exchange("GET", &url, &[], b"")).await;
    matches!(answer, Ok(Ok(reply)) if reply.status == 200 && reply.body.trim_ascii() == challenge.as_bytes())
}

async fn send(url: &Url, signature: &str, body: &[u8]) -> bool {
    let headers = [
        ("content-type", "application/json"),
        ("user-agent", "facebookexternalua"),
        ("x-hub-signature-256", signature),
    ];
    matches!(timeout(PATIENCE, exchange("POST", url, &headers, body)).await, Ok(Ok(reply)) if reply.status == 200)
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashSet,
        sync::{Arc, Mutex},
    };

    use axum::{Router, extract::RawQuery, routing::get};
    use http::{HeaderMap, StatusCode};
    use tokio::net::TcpListener;

    use super::{
        super::{
            options::{APP_SECRET, NORTHLANE, Options, Webhook},
            simulator::Simulator,
            situation::Situation,
        },
        *,
    };

    type Letters = Arc<Mutex<Vec<(HeaderMap, Vec<u8>)>>>;

    /// A receiver that knows the verify token and refuses the first delivery.
    async fn receiver() -> (String, Letters) {
        let letters = Letters::default();
        let kept = letters.clone();
        let refused = Arc::new(AtomicU64::new(0));
        let verify = |RawQuery(query): RawQuery| async move {
            let query = query.unwrap_or_default();
            let value = |name: &str| {
                url::form_urlencoded::parse(query.as_bytes())
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.into_owned())
            };
            match value("hub.verify_token").as_deref() {
                Some("tell-me") => (StatusCode::OK, value("hub.challenge").unwrap_or_default()),
                _ => (StatusCode::FORBIDDEN, String::new()),
            }
        };
        let take = move |headers: HeaderMap, body: bytes::Bytes| async move {
            if refused.fetch_add(1, Ordering::Relaxed) == 0 {
                return StatusCode::INTERNAL_SERVER_ERROR;
            }
            kept.lock().unwrap().push((headers, body.to_vec()));
            StatusCode::OK
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhooks", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, Router::new().route("/webhooks", get(verify).post(take))).into_future());
        (url, letters)
    }

    #[tokio::test]
    async fn acceptance_is_told_once_for_each_waba_signed_and_until_it_is_taken() {
        let (url, letters) = receiver().await;
        let webhook = Webhook { url, verify_token: "tell-me".to_owned(), retry_after: Duration::from_millis(1) };
        let meta =
            Simulator::start(Options { businesses: 60, webhook: Some(webhook), ..Options::default() }).await.unwrap();
        let business = meta.business_where(NORTHLANE, Situation::OnBehalfMixed).unwrap();
        meta.accept(&business).unwrap();
        meta.webhooks_settled().await;
        let letters = letters.lock().unwrap();
        let mut wabas = HashSet::new();
        for (headers, body) in letters.iter() {
            let signature = headers["x-hub-signature-256"].to_str().unwrap();
            assert_eq!(signature, format!("sha256={}", hmac_hex(APP_SECRET, body)));
            let json: Value = serde_json::from_slice(body).unwrap();
            let change = &json["entry"][0]["changes"][0];
            assert_eq!((&json["entry"][0]["id"], &change["field"]), (&NORTHLANE.into(), &"account_update".into()));
            assert_eq!(change["value"]["event"], "MM_LITE_TERMS_SIGNED");
            assert_eq!(change["value"]["waba_info"]["owner_business_id"], business.as_str());
            wabas.insert(change["value"]["waba_info"]["waba_id"].to_string());
        }
        assert_eq!((letters.len(), wabas.len(), meta.webhooks_delivered()), (5, 5, 5));
    }
}
