//! A few lines of TCP that stand for Meta in this folder's tests: each request gets the next scripted reply, and replies can
//! break in all the ways a network can. Shares no code with the client.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use secrecy::SecretString;
use serde_json::Value;
use time::macros::datetime;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::Url;

use super::{AccessToken, BusinessId, Call, Caller, Graph, Observer, Origin, Settings, Version};

pub(super) const APP_ID: &str = "5731794616896507";
pub(super) const APP_SECRET: &str = "app-secret-0123456789abcdef";
pub(super) const TOKEN: &str = "tok/en+with|odd=characters";

pub(super) fn partner() -> BusinessId {
    "520744086200222".parse().unwrap()
}

/// HMAC-SHA256 of [`TOKEN`] with [`APP_SECRET`] as OpenSSL computes it.
pub(super) fn proof() -> String {
    "71b431721f7aa56e9c553a802ef68d75d5a19e2706cf950443a5c8d38d226052".to_owned()
}

/// What happens to a request once it was read.
pub(super) enum Reply {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// An answer whose body ends early.
    CutOff {
        body: Vec<u8>,
    },
    /// The connection is reset.
    Reset,
    /// Nothing, for as long as the client waits.
    Silence,
}

impl Reply {
    pub(super) fn json(status: u16, body: impl Into<Value>) -> Self {
        Self::raw(status, "application/json; charset=UTF-8", body.into().to_string())
    }

    pub(super) fn raw(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer { status, headers: vec![("content-type", content_type.to_owned())], body: body.into() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body: String,
    query: String,
    head: String,
}

impl Received {
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    pub(super) fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(value.to_owned())
    }
}

/// Keeps what it is shown.
#[derive(Default)]
struct Recorder(Mutex<Vec<Call>>);

impl Observer for Recorder {
    fn observe<'a>(&'a self, call: &'a Call) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move { self.0.lock().unwrap().push(call.clone()) })
    }
}

pub(super) struct StandIn {
    url: Url,
    received: Arc<Mutex<Vec<Received>>>,
    recorder: Arc<Recorder>,
}

impl StandIn {
    /// Listens, and answers with each of the replies in turn.
    pub(super) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/graph/", listener.local_addr().unwrap()).parse().unwrap();
        let received = Arc::<Mutex<Vec<Received>>>::default();
        let replies = Arc::new(Mutex::new(replies.into_iter().collect::<VecDeque<_>>()));
        let log = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&replies), Arc::clone(&log)));
            }
        });
        Self { url, received, recorder: Arc::default() }
    }

    /// An address where nobody listens.
    pub(super) async fn absent() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/graph/", listener.local_addr().unwrap()).parse().unwrap();
        Self { url, received: Arc::default(), recorder: Arc::default() }
    }

    pub(super) fn settings(&self) -> Settings {
        let dialog = "https://www.facebook.com".parse().unwrap();
        let secret: SecretString = APP_SECRET.into();
        let mut settings =
            Settings::new(self.url.clone(), dialog, Version::V25_0, APP_ID.parse().unwrap(), secret, None);
        settings.timeout = Duration::from_secs(10);
        settings
    }

    pub(super) fn graph(&self) -> Graph {
        self.graph_with(self.settings())
    }

    pub(super) fn graph_with(&self, settings: Settings) -> Graph {
        let observer: Arc<dyn Observer> = Arc::clone(&self.recorder) as _;
        Graph::new(settings, Arc::new(|| datetime!(2026-11-22 10:00 UTC)), observer).unwrap()
    }

    pub(super) fn caller(&self) -> Caller {
        self.graph().with_token(AccessToken::from(TOKEN.to_owned()), Origin::default())
    }

    /// What arrived so far.
    pub(super) fn requests(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// What was observed so far.
    pub(super) fn calls(&self) -> Vec<Call> {
        self.recorder.0.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, replies: Arc<Mutex<VecDeque<Reply>>>, log: Arc<Mutex<Vec<Received>>>) {
    while let Some(received) = read(&mut stream).await {
        log.lock().unwrap().push(received);
        let reply = replies.lock().unwrap().pop_front();
        match reply {
            Some(Reply::Answer { status, headers, body }) => {
                let mut head = format!("HTTP/1.1 {status} Said\r\ncontent-length: {}\r\n", body.len());
                for (name, value) in headers {
                    head.extend([name, ": ", &value, "\r\n"]);
                }
                head.push_str("\r\n");
                stream.write_all(head.as_bytes()).await.unwrap();
                // The client may have read enough and be gone.
                drop(stream.write_all(&body).await);
            }
            Some(Reply::CutOff { body }) => {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len() + 100);
                stream.write_all(head.as_bytes()).await.unwrap();
                stream.write_all(&body).await.unwrap();
                return;
            }
            Some(Reply::Silence) => {
                // Ends when the client hangs up.
                let _: Option<Received> = read(&mut stream).await;
                return;
            }
            Some(Reply::Reset) => {
                stream.set_zero_linger().unwrap();
                return;
            }
            None => panic!("a request more than the test scripted"),
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut body = bytes[head_end + 4..].to_vec();
    let mut received = received(head);
    let length = received.header("content-length").map_or(0, |length| length.parse().unwrap());
    while body.len() < length {
        stream.read_buf(&mut body).await.ok()?;
    }
    received.body = String::from_utf8(body).unwrap();
    Some(received)
}

fn received(head: String) -> Received {
    let mut line = head.lines().next().unwrap().split(' ');
    let (method, target) = (line.next().unwrap().to_owned(), line.next().unwrap());
    let target = target.strip_prefix("/graph").expect("the base's own path is kept");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Received { method, path: path.to_owned(), query: query.to_owned(), body: String::new(), head }
}
