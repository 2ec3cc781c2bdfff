//! What the browser loads beside pages: style, script, wasm, icons. From the binary in a release, from a folder in development.
//!
//! The folder is made by `bin/site`; its `manifest.txt` names each file by the name the house uses (`liteboard.css`) and the
//! path it's served under. Paths with a content hash are cached for good.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// Every file `bin/build` embedded: path in the folder, content. Empty in development.
static EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/embedded_site.rs"));

/// The files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Assets(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Source,
    /// Name in the house -> path in the folder.
    names: HashMap<String, String>,
}

#[derive(Debug)]
enum Source {
    Embedded(HashMap<&'static str, &'static [u8]>),
    Folder(PathBuf),
}

impl Assets {
    /// The embedded files; where there are none, those of `LITEBOARD_SITE_DIR` or `target/site`.
    ///
    /// # Errors
    /// When there is no manifest to be read: the message says what to run.
    pub fn load() -> io::Result<Self> {
        if EMBEDDED.is_empty() {
            let folder =
                std::env::var_os("LITEBOARD_SITE_DIR").map_or_else(|| PathBuf::from("target/site"), PathBuf::from);
            return Self::from_folder(&folder);
        }
        let files: HashMap<_, _> = EMBEDDED.iter().copied().collect();
        let manifest =
            files.get("manifest.txt").map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
        Ok(Self(Arc::new(Inner { source: Source::Embedded(files), names: read_manifest(&manifest) })))
    }

    /// The files of a folder, read anew each time they're asked for.
    ///
    /// # Errors
    /// When there is no manifest to be read.
    pub fn from_folder(folder: &Path) -> io::Result<Self> {
        let manifest = std::fs::read_to_string(folder.join("manifest.txt")).map_err(|error| {
            io::Error::new(error.kind(), format!("no site in {} ({error}): run bin/site dev", folder.display()))
        })?;
        Ok(Self(Arc::new(Inner { source: Source::Folder(folder.to_owned()), names: read_manifest(&manifest) })))
    }

    /// No files at all: for tests that look at pages without loading them.
    pub fn none() -> Self {
        Self(Arc::new(Inner { source: Source::Embedded(HashMap::new()), names: HashMap::new() }))
    }

    /// The address of a file by its name in the house, such as `liteboard.css`.
    pub fn url(&self, name: &str) -> String {
        format!("/assets/{}", self.0.names.get(name).map_or(name, String::as_str))
    }

    /// The stem the script and its wasm are served under: `/assets/pkg/{stem}.js` and `/assets/pkg/{stem}_bg.wasm`.
    ///
    /// The script's hash covers the wasm's name, so one stem will do for both.
    pub fn script_stem(&self) -> String {
        let path = self.0.names.get("liteboard.js").map_or("liteboard.js", String::as_str);
        let file = path.rsplit('/').next().unwrap_or(path);
        file.strip_suffix(".js").unwrap_or(file).to_owned()
    }

    /// Answers for `/assets/{path}`.
    pub fn respond(&self, path: &str, asked: &HeaderMap) -> Response {
        let stem = self.script_stem();
        let path = match path.strip_prefix("pkg/").and_then(|file| file.strip_suffix("_bg.wasm")) {
            Some(asked) if asked == stem => self.0.names.get("liteboard.wasm").map_or(path, String::as_str),
            _ => path,
        };
        for (encoding, ending) in encodings(asked) {
            if let Some(content) = self.read(&format!("{path}{ending}")) {
                return self.answer(path, content, encoding);
            }
        }
        (StatusCode::NOT_FOUND, "There is no such file.").into_response()
    }

    fn read(&self, path: &str) -> Option<Bytes> {
        match &self.0.source {
            Source::Embedded(files) => files.get(path).map(|content| Bytes::from_static(content)),
            Source::Folder(folder) => {
                let sound =
                    path.split('/').all(|part| !part.is_empty() && part != "." && part != ".." && !part.contains('\\'));
                sound.then(|| std::fs::read(folder.join(path)).ok().map(Bytes::from)).flatten()
            }
        }
    }

    fn answer(&self, path: &str, content: Bytes, encoding: Option<&'static str>) -> Response {
        let mut answer = Response::new(Body::from(content));
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        let forever = is_hashed(path)
            || self.0.names.get("liteboard.js").is_some_and(|script| is_hashed(script)) && path.starts_with("pkg/");
        let caching = if forever { "public, max-age=31536000, immutable" } else { "no-cache" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        answer
    }
}

fn read_manifest(manifest: &str) -> HashMap<String, String> {
    manifest
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, path)| (name.to_owned(), path.to_owned()))
        .collect()
}

/// The encodings the asker takes, best first, with the ending each has in the folder.
fn encodings(asked: &HeaderMap) -> Vec<(Option<&'static str>, &'static str)> {
    let accepts = asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let takes = |coding: &str| {
        accepts
            .split(',')
            .any(|offer| offer.split(';').next().is_some_and(|name| name.trim() == coding) && !offer.contains("q=0"))
    };
    let mut encodings = Vec::with_capacity(3);
    if takes("br") {
        encodings.push((Some("br"), ".br"));
    }
    if takes("gzip") {
        encodings.push((Some("gzip"), ".gz"));
    }
    encodings.push((None, ""));
    encodings
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Whether the path carries a content hash: `name.<16 hex digits>.ending`.
fn is_hashed(path: &str) -> bool {
    let mut parts = path.rsplit('.').skip(1);
    parts.next().is_some_and(|part| part.len() == 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> (tempdir::Folder, Assets) {
        let folder = tempdir::Folder::new("assets");
        std::fs::create_dir_all(folder.path().join("pkg")).unwrap();
        for (name, content) in [
            (
                "manifest.txt",
                "liteboard.css liteboard.0123456789abcdef.css\nliteboard.js pkg/liteboard.aaaabbbbccccdddd.js\nliteboard.wasm pkg/liteboard.1111222233334444.wasm\n",
            ),
            ("liteboard.0123456789abcdef.css", "body{}"),
            ("liteboard.0123456789abcdef.css.br", "packed"),
            ("pkg/liteboard.1111222233334444.wasm", "wasm"),
        ] {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let assets = Assets::from_folder(folder.path()).unwrap();
        (folder, assets)
    }

    mod tempdir {
        //! A folder that goes when the test ends.
        use std::path::{Path, PathBuf};

        pub struct Folder(PathBuf);

        impl Folder {
            pub fn new(name: &str) -> Self {
                let path = std::env::temp_dir().join(format!("liteboard-{name}-{:016x}", rand::random::<u64>()));
                std::fs::create_dir_all(&path).unwrap();
                Self(path)
            }

            pub fn path(&self) -> &Path {
                &self.0
            }
        }

        impl Drop for Folder {
            fn drop(&mut self) {
                drop(std::fs::remove_dir_all(&self.0));
            }
        }
    }

    #[test]
    fn files_are_named_by_the_manifest_packed_when_asked_and_cached_by_hash() {
        let (_folder, assets) = site();
        assert_eq!(assets.url("liteboard.css"), "/assets/liteboard.0123456789abcdef.css");
        let mut asked = HeaderMap::new();
        asked.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br"));
        let packed = assets.respond("liteboard.0123456789abcdef.css", &asked);
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "br");
        assert!(packed.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        let plain = assets.respond("liteboard.0123456789abcdef.css", &HeaderMap::new());
        assert!(plain.headers().get(header::CONTENT_ENCODING).is_none());
    }

    #[test]
    fn the_wasm_is_served_beside_its_script() {
        let (_folder, assets) = site();
        assert_eq!(assets.script_stem(), "liteboard.aaaabbbbccccdddd");
        let wasm = assets.respond("pkg/liteboard.aaaabbbbccccdddd_bg.wasm", &HeaderMap::new());
        assert_eq!(
            (wasm.status(), &wasm.headers()[header::CONTENT_TYPE]),
            (StatusCode::OK, &HeaderValue::from_static("application/wasm"))
        );
    }

    #[test]
    fn nothing_outside_the_folder_is_served() {
        let (_folder, assets) = site();
        for path in ["../Cargo.toml", "/etc/passwd", "pkg/../../x", "pkg//x", "..\\x", "", "nothing.css"] {
            assert_eq!(assets.respond(path, &HeaderMap::new()).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
}
