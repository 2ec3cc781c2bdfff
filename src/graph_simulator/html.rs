//! The frame of the simulator's own pages: one stylesheet, no script.

/// The stylesheet, served at [`STYLE_PATH`].
pub(super) const STYLE: &str = include_str!("page.css");
/// Where [`STYLE`] is.
pub(super) const STYLE_PATH: &str = "/simulator/page.css";
/// No script, no frame, nothing from elsewhere. `form-action` is left out on purpose: browsers apply it to the redirect that
/// follows the consent form too, and that one leads to the app.
pub(super) const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'";

pub(super) struct Page<'a> {
    pub title: &'a str,
    pub body: &'a str,
}

impl Page<'_> {
    pub(super) fn to_html(&self) -> String {
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{}</title><link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"{STYLE_PATH}\"></head><body><main>{}</main></body></html>",
            escape(self.title),
            self.body
        )
    }
}

/// Text made safe between tags and inside quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_html_stays_text() {
        assert_eq!(escape("<b a=\"1\">&'</b>"), "&lt;b a=&quot;1&quot;&gt;&amp;&#39;&lt;/b&gt;");
    }
}
