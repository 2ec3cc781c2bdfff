//! A browser without a screen: keeps cookies, follows redirects one at a time, sends forms as a browser would.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, ORIGIN, REFERER, SET_COOKIE},
    redirect::Policy,
};

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
    /// The address that answered, after redirects.
    pub url: String,
}

impl Answer {
    /// Where it redirects to.
    pub fn location(&self) -> Option<&str> {
        self.headers.get(LOCATION)?.to_str().ok()
    }
}

/// One person's browser at one address of the app.
#[derive(Debug)]
pub struct Browser {
    client: reqwest::Client,
    origin: String,
    cookies: Mutex<BTreeMap<String, String>>,
    /// The page it shows, from which forms are sent.
    page: Mutex<String>,
}

impl Browser {
    /// A fresh browser for the app at `origin`, such as `http://127.0.0.1:3000`.
    pub fn at(origin: &str) -> Self {
        // The first one in the process installs it; that later ones can't is as it should be.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client =
            reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().expect("a client can be made");
        let origin = origin.trim_end_matches('/').to_owned();
        let page = Mutex::new(format!("{origin}/businesses"));
        Self { client, origin, cookies: Mutex::default(), page }
    }

    /// The cookies it holds for the app.
    pub fn cookies(&self) -> BTreeMap<String, String> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts a cookie in its jar.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value.to_owned());
    }

    /// One request, no redirect followed. `path` is one of the app's, or a whole address elsewhere.
    pub async fn ask(&self, method: Method, path: &str, form: Option<&[(&str, &str)]>) -> reqwest::Result<Answer> {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.origin) };
        let ours = url.starts_with(&self.origin);
        let mut request = self.client.request(method, &url).header(ACCEPT, "text/html,application/xhtml+xml");
        if ours {
            let jar = self.cookies();
            let line: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, line.join("; "));
        }
        if let Some(form) = form {
            let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
            request = request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header("sec-fetch-site", "same-origin")
                .header(ORIGIN, &self.origin)
                .header(REFERER, self.page())
                .body(body);
        }
        let response = request.send().await?;
        if ours {
            self.keep_cookies(response.headers());
        }
        let (status, headers, url) = (response.status(), response.headers().clone(), response.url().to_string());
        Ok(Answer { status, headers, body: response.text().await?, url })
    }

    fn keep_cookies(&self, headers: &HeaderMap) {
        let mut jar = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        for line in headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok()) {
            let Some((name, value)) = line.split(';').next().and_then(|pair| pair.split_once('=')) else { continue };
            if value.is_empty() || line.to_ascii_lowercase().contains("max-age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    fn page(&self) -> String {
        self.page.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens a page, following redirects.
    pub async fn open(&self, path: &str) -> reqwest::Result<Answer> {
        let answer = self.ask(Method::GET, path, None).await?;
        self.follow(answer).await
    }

    /// Sends a form, and follows where it leads.
    pub async fn send(&self, path: &str, form: &[(&str, &str)]) -> reqwest::Result<Answer> {
        let answer = self.ask(Method::POST, path, Some(form)).await?;
        self.follow(answer).await
    }

    /// Sends a form with a file field named `file` and a text field named `ids`, and follows where it leads.
    pub async fn upload(&self, path: &str, (name, file): (&str, &[u8]), ids: &str) -> reqwest::Result<Answer> {
        const BOUNDARY: &str = "----of-a-story";
        let mut body = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/csv\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(file);
        let rest = format!(
            "\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"ids\"\r\n\r\n{ids}\r\n--{BOUNDARY}--\r\n"
        );
        body.extend_from_slice(rest.as_bytes());
        let line: Vec<String> = self.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let sent = self
            .client
            .post(format!("{}{path}", self.origin))
            .header(ACCEPT, "text/html")
            .header(COOKIE, line.join("; "));
        let sent = sent
            .header(CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"))
            .header("sec-fetch-site", "same-origin")
            .header(ORIGIN, &self.origin)
            .header(REFERER, self.page())
            .body(body);
        let response = sent.send().await?;
        let (status, headers, url) = (response.status(), response.headers().clone(), response.url().to_string());
        self.follow(Answer { status, headers, body: response.text().await?, url }).await
    }

    async fn follow(&self, mut answer: Answer) -> reqwest::Result<Answer> {
        for _ in 0..10 {
            let Some(next) = answer.location().map(str::to_owned) else { break };
            let base = url::Url::parse(&answer.url).expect("an address that answered is one");
            let next = base.join(&next).expect("a redirect leads somewhere");
            answer = self.ask(Method::GET, next.as_str(), None).await?;
        }
        if answer.url.starts_with(&self.origin) {
            answer.url.clone_into(&mut self.page.lock().unwrap_or_else(PoisonError::into_inner));
        }
        Ok(answer)
    }

    /// Signs in as `person` (a Facebook user id) through the simulator's consent page; the answer is the page landed on.
    pub async fn sign_in(&self, person: &str) -> reqwest::Result<Answer> {
        self.sign_in_from("/sign-in/start", person).await
    }

    /// As [`Browser::sign_in`], from a start address of one's own.
    pub async fn sign_in_from(&self, start: &str, person: &str) -> reqwest::Result<Answer> {
        let to_dialog = self.ask(Method::GET, start, None).await?;
        let Some(dialog) = to_dialog.location().map(str::to_owned) else { return Ok(to_dialog) };
        let granted = self.ask(Method::POST, &dialog, Some(&[("person", person)])).await?;
        self.follow(granted).await
    }
}
