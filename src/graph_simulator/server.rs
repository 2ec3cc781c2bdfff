//! The HTTP face: from a request to a call, to the room that answers it, and back onto the wire.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    response::Response,
};
use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, StatusCode, header};
use tokio::sync::watch;

use super::{
    call::Call,
    clock::pause,
    dialog::Dialog,
    error::GraphError,
    graph::{Answer, Delivery},
    html::POLICY,
    operation::Operation,
    params::Params,
    shared::Shared,
    wire::{Fuse, Peer},
};

/// More than any batch needs.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

#[derive(Clone)]
pub(super) struct Server {
    pub shared: Arc<Shared>,
    /// Turns true when the simulator stops: calls that hang are let go.
    pub stopped: watch::Receiver<bool>,
}

pub(super) fn router(server: Server) -> Router {
    Router::new().fallback(respond).with_state(server)
}

async fn respond(State(server): State<Server>, ConnectInfo(peer): ConnectInfo<Peer>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let text = |name: &header::HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    let body = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    let path = head.uri.path();
    let content_type = text(&header::CONTENT_TYPE).unwrap_or_default();
    let params = Params::read(head.uri.query().unwrap_or_default(), content_type, &body);
    let base = server.base(&head.headers);
    let shared = &server.shared;

    if path == "/" && head.method == http::Method::GET && params.as_ref().is_ok_and(Params::is_empty)
        || path.starts_with("/simulator")
    {
        shared.catch_up();
        return shared.control(&head.method, path, &params.unwrap_or_default(), &head.headers, peer.address);
    }
    let params = match params {
        Ok(params) => params,
        Err(text) => {
            return plain(
                StatusCode::BAD_REQUEST,
                "application/json; charset=UTF-8",
                GraphError::invalid(text).body("A").to_string(),
            );
        }
    };
    let call = Call::new(head.method.clone(), path, params, text(&header::AUTHORIZATION), base);
    if shared.operation(&call) == Operation::Dialog {
        return dialog(shared.dialog(&call));
    }
    if !shared.options.latency.is_zero() {
        pause(shared.options.latency).await;
    }
    send(shared.answer(&call), &peer.fuse, server.stopped).await
}

impl Server {
    fn base(&self, headers: &HeaderMap) -> String {
        self.shared.options.public_url.clone().unwrap_or_else(|| {
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
            format!("http://{host}")
        })
    }
}

fn dialog(dialog: Dialog) -> Response {
    match dialog {
        Dialog::Page(status, body) => plain(status, "text/html; charset=UTF-8", body),
        Dialog::Redirect(to) => {
            let mut response = plain(StatusCode::FOUND, "text/html; charset=UTF-8", String::new());
            if let Ok(to) = to.parse() {
                response.headers_mut().insert(header::LOCATION, to);
            }
            response
        }
    }
}

/// A whole answer of the simulator's own.
pub(super) fn plain(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    headers.insert(header::CONTENT_SECURITY_POLICY, header::HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, header::HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    response
}

async fn send(answer: Answer, fuse: &Fuse, mut stopped: watch::Receiver<bool>) -> Response {
    match answer.delivery {
        Delivery::Never => {
            // An error means that the simulator is gone, which is a stop as well.
            let _ = stopped.wait_for(|stopped| *stopped).await;
            fuse.blow();
        }
        Delivery::Reset => fuse.blow(),
        Delivery::Whole | Delivery::Cut => {}
    }
    let length = answer.body.len();
    let body = if answer.delivery == Delivery::Cut {
        let half = Bytes::copy_from_slice(&answer.body.as_bytes()[..length / 2]);
        Body::from_stream(stream::iter([Ok(half), Err(std::io::Error::other("cut"))]))
    } else {
        Body::from(answer.body)
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(answer.content_type));
    headers.insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("private, no-cache, no-store, must-revalidate"),
    );
    headers.insert(header::CONTENT_LENGTH, length.into());
    for (name, value) in answer.headers {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    }
    response
}

/// Serves until `stopped` turns true, then lets open answers finish.
pub(super) async fn serve(listener: tokio::net::TcpListener, server: Server) {
    let mut stopped = server.stopped.clone();
    let service = router(server).into_make_service_with_connect_info::<Peer>();
    let stop = async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    if let Err(error) = axum::serve(super::wire::Wires(listener), service).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "the simulator's listener failed");
    }
}
