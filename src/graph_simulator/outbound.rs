//! The few HTTP calls the simulator makes itself: plain `http`, one exchange a connection.
//!
//! HTTP/1.0 on purpose: the answer ends where the connection does, so there are no chunks to read; and no TLS stack has to be
//! set up in a process that only wants a stand-in.

use std::{fmt::Write as _, io};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use url::Url;

/// A whole answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub status: u16,
    #[cfg_attr(not(test), expect(dead_code, reason = "tests look at the headers of the simulator's answers"))]
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Sends one request and reads the whole answer; a body shorter than announced is an error.
pub(super) async fn exchange(method: &str, url: &Url, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Reply> {
    let wrong = |text: &str| io::Error::new(io::ErrorKind::InvalidData, text.to_owned());
    if url.scheme() != "http" {
        return Err(wrong("only http is spoken here"));
    }
    let host = url.host_str().ok_or_else(|| wrong("no host"))?;
    let port = url.port_or_known_default().unwrap_or(80);
    let mut stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut head = format!("{method} {}{query} HTTP/1.0\r\ncontent-length: {}\r\n", url.path(), body.len());
    if !headers.iter().any(|(name, _)| *name == "host") {
        let _ = write!(head, "host: {host}:{port}\r\n");
    }
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head += "\r\n";
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;

    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).await?;
    let split = raw.windows(4).position(|four| four == b"\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let head = String::from_utf8_lossy(&raw[..split]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let mut found = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            found.append(name, value);
        }
    }
    let body = raw.split_off(split + 4);
    let announced =
        found.get("content-length").and_then(|value| value.to_str().ok()).and_then(|length| length.parse().ok());
    if announced.is_some_and(|length: usize| length != body.len()) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Reply { status: status.ok_or_else(|| wrong("no status line"))?, headers: found, body })
}
