//! Takes secrets out of everything that is kept of an exchange.
//!
//! Three nets, since one can have a hole: the secrets this exchange was made with, however they are escaped; the values
//! of parameters and fields that always hold a secret, which also finds tokens Meta made up on the way (`paging.next`
//! may carry one, 2.7); and anything that looks like a token of Meta's. Text is scanned as it came, not parsed, so a
//! body that is cut off or isn't JSON is as safe as one that is.

use std::ops::Range;

use secrecy::{ExposeSecret, SecretString};

/// What stands where a secret was.
pub const REDACTED: &str = "[redacted]";

/// Shorter text isn't looked for: it would be found by chance, in ids and words. No secret of Meta's is that short.
const SHORTEST_SECRET: usize = 6;

/// Parameters and fields whose value is a secret. A name that ends with one of them counts, too.
const NAMES: [&str; 11] = [
    "access_token",
    "app_secret",
    "appsecret_proof",
    "client_secret",
    "code_verifier",
    "fb_exchange_token",
    "id_token",
    "input_token",
    "refresh_token",
    "revoke_token",
    CODE,
];

/// The sign-in code. Errors have a field of that name, too, so it takes a closer look.
const CODE: &str = "code";

/// How tokens of Meta's begin, and how many more characters they have at the least.
const TOKEN_START: &[u8] = b"EAA";
const TOKEN_REST: usize = 20;

/// Words of an `Authorization` header that a token follows. They are words of the language, too, so it takes a closer look.
const SCHEMES: [&str; 2] = ["bearer", "oauth"];

/// What follows such a word, or a name and a colon, is a secret from this length on if there is a digit in it, and without one from
/// that length on: words of messages and names of businesses are shorter.
const SHORTEST_WITH_DIGIT: usize = 8;
const SHORTEST_WITHOUT: usize = 24;

/// `text` without what looks like a token of Meta's and without the values of parameters and headers that hold one: for text of
/// unknown origin, before it is shown again, kept, or put into an address.
pub fn redacted(text: &str) -> String {
    Redactor::new([]).clean(text, usize::MAX)
}

/// As [`redacted`], where there was a secret in it; `None` for a text without any.
pub fn without_secrets(text: &str) -> Option<String> {
    let clean = redacted(text);
    (clean.contains(REDACTED) && clean != text).then_some(clean)
}

/// The secrets of one exchange.
pub(super) struct Redactor {
    secrets: Vec<SecretString>,
    /// The bytes with which a secret, an escape of one, or the name of one can begin, and NUL; all others are passed over.
    begins: [bool; 256],
}

impl Redactor {
    pub(super) fn new(secrets: impl IntoIterator<Item = SecretString>) -> Self {
        let mut secrets: Vec<_> =
            secrets.into_iter().filter(|secret| secret.expose_secret().len() >= SHORTEST_SECRET).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        let mut begins = [false; 256];
        let firsts = secrets.iter().map(|secret| secret.expose_secret().as_bytes()[0]);
        for byte in NAMES.into_iter().chain(SCHEMES).map(|name| name.as_bytes()[0]).chain(firsts).chain(*b"E%\\\0") {
            begins[usize::from(byte.to_ascii_lowercase())] = true;
            begins[usize::from(byte.to_ascii_uppercase())] = true;
        }
        Self { secrets, begins }
    }

    /// `text` without secrets, at most `most` bytes of it, and with U+FFFD for NUL, which Postgres can't keep.
    ///
    /// Cuts after redacting, so that no half of a secret is left at the end.
    pub(super) fn clean(&self, text: &str, most: usize) -> String {
        let bytes = text.as_bytes();
        let mut out = String::with_capacity(text.len().min(most));
        let mut at = 0;
        while let Some(char) = text[at..].chars().next() {
            let passed = bytes[at..].iter().take_while(|byte| !self.begins[usize::from(**byte)]).count();
            if passed > 0 {
                let kept = text[at..].floor_char_boundary(passed.min(most - out.len()));
                out.push_str(&text[at..at + kept]);
                if kept < passed {
                    break;
                }
                at += passed;
                continue;
            }
            let (plain, next) = if let Some(end) = self.secret_at(bytes, at) {
                (Some(at..at), end)
            } else if let Some(value) = value_at(bytes, at) {
                (Some(at..value.start), value.end)
            } else {
                (None, at + char.len_utf8())
            };
            let mut utf8 = [0; 4];
            let (kept, marker) = match plain {
                Some(plain) => (&text[plain], REDACTED),
                None if char == '\0' => ("\u{FFFD}", ""),
                None => (&*char.encode_utf8(&mut utf8), ""),
            };
            if out.len() + kept.len() + marker.len() > most {
                break;
            }
            out.push_str(kept);
            out.push_str(marker);
            at = next;
        }
        out
    }

    /// Where the known secret that begins at `at` ends.
    fn secret_at(&self, text: &[u8], at: usize) -> Option<usize> {
        self.secrets.iter().find_map(|secret| end_of(text, at, secret.expose_secret().as_bytes()))
    }
}

/// Where `secret` ends if it begins at `at`, each of its bytes as itself, percent-encoded, or escaped as in JSON.
fn end_of(text: &[u8], mut at: usize, secret: &[u8]) -> Option<usize> {
    for &byte in secret {
        at += match escaped(text, at) {
            Some((meant, length)) if meant == byte => length,
            _ if text.get(at) == Some(&byte) => 1,
            _ => return None,
        };
    }
    Some(at)
}

/// The ASCII character an escape at `at` stands for, and the length of the escape.
fn escaped(text: &[u8], at: usize) -> Option<(u8, usize)> {
    let hex = |digits: Range<usize>| u8::from_str_radix(std::str::from_utf8(text.get(digits)?).ok()?, 16).ok();
    match (text.get(at)?, text.get(at + 1)?) {
        (b'%', _) => Some((hex(at + 1..at + 3)?, 3)),
        (b'\\', b'u') if text.get(at + 2..at + 4) == Some(b"00") => Some((hex(at + 4..at + 6)?, 6)),
        (b'\\', char) => Some((*char, 2)),
        _ => None,
    }
}

/// Where the secret value lies that the text at `at` announces, by its name or by its looks.
fn value_at(text: &[u8], at: usize) -> Option<Range<usize>> {
    let value = named_value_at(text, at).or_else(|| token_at(text, at)).or_else(|| scheme_value_at(text, at))?;
    (!value.is_empty() && !text[value.start..].starts_with(REDACTED.as_bytes())).then_some(value)
}

fn token_at(text: &[u8], at: usize) -> Option<Range<usize>> {
    if !text[at..].starts_with(TOKEN_START) || !begins_word(text, at) {
        return None;
    }
    let length = text[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    (length >= TOKEN_START.len() + TOKEN_REST).then_some(at..at + length)
}

/// Whether what stands at `at` is joined to nothing before it. The last letter of an escape, such as `%3A` or `\n`, is not joined.
fn begins_word(text: &[u8], at: usize) -> bool {
    if at == 0 || !text[at - 1].is_ascii_alphanumeric() {
        return true;
    }
    [2, 3, 6].into_iter().filter_map(|length| at.checked_sub(length)).any(|from| {
        matches!(text[from], b'%' | b'\\') && escaped(text, from).is_some_and(|(_, length)| from + length == at)
    })
}

/// The token behind `Bearer`.
fn scheme_value_at(text: &[u8], at: usize) -> Option<Range<usize>> {
    let scheme = SCHEMES.into_iter().find(|scheme| starts_with(text, at, scheme)).filter(|_| begins_word(text, at))?;
    let mut start = at + scheme.len();
    while let Some(length) = space_at(text, start) {
        start += length;
    }
    let value = start..end_of_parameter(text, start);
    (start > at + scheme.len() && looks_secret(&text[value.clone()])).then_some(value)
}

fn starts_with(text: &[u8], at: usize, word: &str) -> bool {
    text.get(at..at + word.len()).is_some_and(|here| here.eq_ignore_ascii_case(word.as_bytes()))
}

/// The length of a space, as it is or as addresses write it.
fn space_at(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b' ' | b'\t' | b'+' => Some(1),
        b'%' => escaped(text, at).filter(|(meant, _)| *meant == b' ').map(|(_, length)| length),
        _ => None,
    }
}

fn looks_secret(value: &[u8]) -> bool {
    let least = if value.iter().any(u8::is_ascii_digit) { SHORTEST_WITH_DIGIT } else { SHORTEST_WITHOUT };
    // A bracket: something in it was taken out already.
    value.len() >= least && value.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'[')
}

fn named_value_at(text: &[u8], at: usize) -> Option<Range<usize>> {
    let name = NAMES.into_iter().find(|name| starts_with(text, at, name))?;
    let after = at + name.len();
    let before = &text[..at];
    if let Some(start) = after_equals(text, after) {
        let starts_a_parameter = ["?", "&", ";", "%26", "%3F", "%3f", "\\u0026", "\\u003f"]
            .iter()
            .any(|mark| before.ends_with(mark.as_bytes()));
        return (name != CODE || starts_a_parameter).then(|| value_from(text, start));
    }
    if let Some(start) = after_mark(text, after).filter(|_| name != CODE) {
        let value = value_from(text, start);
        return looks_secret(&text[value.clone()]).then_some(value);
    }
    let (start, escaped) = after_key(text, after)?;
    let value = start..end_of_string(text, start, escaped);
    let is_number = text[value.clone()].iter().all(u8::is_ascii_digit);
    (name != CODE || (matches!(before.last(), Some(b'"' | b'\'')) && !is_number)).then_some(value)
}

fn after_equals(text: &[u8], at: usize) -> Option<usize> {
    match escaped(text, at) {
        Some((b'=', length)) => Some(at + length),
        _ => (text.get(at) == Some(&b'=')).then_some(at + 1),
    }
}

/// Past a colon or an equals sign with spaces beside it, as in a header, in YAML and in a program.
fn after_mark(text: &[u8], at: usize) -> Option<usize> {
    let skip_spaces =
        |at: usize| at + text[at.min(text.len())..].iter().take_while(|byte| b" \t".contains(byte)).count();
    let mark = skip_spaces(at);
    matches!(text.get(mark), Some(b':' | b'=')).then(|| skip_spaces(mark + 1))
}

/// The value that begins at `start`, without its quotes.
fn value_from(text: &[u8], start: usize) -> Range<usize> {
    let quote = start + text[start.min(text.len())..].iter().take_while(|byte| **byte == b'\\').count();
    if matches!(text.get(quote), Some(b'"' | b'\'')) {
        quote + 1..end_of_string(text, quote + 1, quote > start)
    } else {
        start..end_of_parameter(text, start)
    }
}

/// Past `": "` or `\": \"`: the start of a string in JSON, and whether its quotes are escaped.
fn after_key(text: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let skip = |at: usize, which: fn(u8) -> bool| {
        at + text[at.min(text.len())..].iter().take_while(|byte| which(**byte)).count()
    };
    let quote = |at: usize| matches!(text.get(at), Some(b'"' | b'\'')).then_some(at + 1);
    at = quote(skip(at, |byte| byte == b'\\'))?;
    at = skip(at, |byte| byte.is_ascii_whitespace());
    at = skip((text.get(at) == Some(&b':')).then_some(at + 1)?, |byte| byte.is_ascii_whitespace());
    let opening = skip(at, |byte| byte == b'\\');
    Some((quote(opening)?, opening > at))
}

fn end_of_string(text: &[u8], mut at: usize, escaped: bool) -> usize {
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' | b'\'' => return at,
            b'\\' if escaped && matches!(text.get(at + 1), Some(b'"' | b'\'' | b'\\')) => return at,
            // The character after an escape's first may be of several bytes; its others are skipped one by one.
            b'\\' if text.get(at + 1).is_some_and(u8::is_ascii) => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

fn end_of_parameter(text: &[u8], mut at: usize) -> usize {
    while let Some(byte) = text.get(at) {
        at += match (byte, escaped(text, at)) {
            (b'\\', Some((b'/', length))) => length,
            (b'%', Some((meant, length))) if !b"&#\"".contains(&meant) => length,
            (b'%', Some(_)) | (b'\\', _) => return at,
            (byte, _) if byte.is_ascii_whitespace() || b"\"'<>&#;,)}]".contains(byte) => return at,
            _ => 1,
        };
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "s3cr3t|to/ken+=";

    fn clean(text: &str) -> String {
        Redactor::new([SECRET.into(), "short".into()]).clean(text, usize::MAX)
    }

    #[test]
    fn a_known_secret_is_found_in_every_spelling() {
        for spelling in [
            SECRET,
            "s3cr3t%7Cto%2Fken%2B%3D",
            "s3cr3t%7cto%2fken%2b%3d",
            r"s3cr3t|to\/ken+=",
            r"s3cr3t\u007cto\/ken\u002b\u003d",
        ] {
            assert_eq!(clean(&format!("a {spelling} b{spelling}c")), "a [redacted] b[redacted]c", "{spelling}");
        }
    }

    #[test]
    fn named_values_go_and_their_neighbours_stay() {
        for (text, left) in [
            ("https://x/y?access_token=abc&limit=25", "https://x/y?access_token=[redacted]&limit=25"),
            (
                r#"{"next":"https:\/\/x\/y?access_token=ab\/c\u0026after=Q"}"#,
                r#"{"next":"https:\/\/x\/y?access_token=[redacted]\u0026after=Q"}"#,
            ),
            ("u=https%3A%2F%2Fx%3Faccess_token%3Dabc%26b%3D1", "u=https%3A%2F%2Fx%3Faccess_token%3D[redacted]%26b%3D1"),
            (
                r#"{"access_token":"abc","token_type":"bearer"}"#,
                r#"{"access_token":"[redacted]","token_type":"bearer"}"#,
            ),
            (r#"{"Page_Access_Token" : "abc"}"#, r#"{"Page_Access_Token" : "[redacted]"}"#),
            (r#"{"access_token":"a\"bc","x":1}"#, r#"{"access_token":"[redacted]","x":1}"#),
            (r#"{"e":"{\"access_token\":\"abc\",\"x\":1}"}"#, r#"{"e":"{\"access_token\":\"[redacted]\",\"x\":1}"}"#),
            (r#"{"access_token":"cut of"#, r#"{"access_token":"[redacted]"#),
            ("?access_token=cut", "?access_token=[redacted]"),
            (
                "appsecret_proof=a client_secret=b; code_verifier=c",
                "appsecret_proof=[redacted] client_secret=[redacted]; code_verifier=[redacted]",
            ),
            (
                "fb_exchange_token=a&input_token=b&revoke_token=ç",
                "fb_exchange_token=[redacted]&input_token=[redacted]&revoke_token=[redacted]",
            ),
            ("<a href='?code=abc&amp;state=s'>", "<a href='?code=[redacted]&amp;state=s'>"),
            (r#"{"code":"AQD-x"}"#, r#"{"code":"[redacted]"}"#),
            ("access_token=\"ab c\" x", "access_token=\"[redacted]\" x"),
            ("access_token = 'abcdefg8'", "access_token = '[redacted]'"),
            ("access_token: abcdefg8\nnext: 1", "access_token: [redacted]\nnext: 1"),
            (r#"{"log":"access_token=\"abc\" x"}"#, r#"{"log":"access_token=\"[redacted]\" x"}"#),
            ("-H 'Authorization: Bearer abc.def-9' x", "-H 'Authorization: Bearer [redacted]' x"),
            ("authorization: OAuth  abcdefg|9", "authorization: OAuth  [redacted]"),
            ("q=Bearer%20abcdefg8&x=1", "q=Bearer%20[redacted]&x=1"),
            ("q=bearer+abcdefg8&x=1", "q=bearer+[redacted]&x=1"),
        ] {
            assert_eq!(clean(text), left);
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            r#"{"error":{"code":190,"error_subcode":463}}"#,
            r#"{"error":{"code":"190"}}"#,
            "error code=190",
            "fields=access_token",
            r#"{"access_token":null}"#,
            "access_token=&x=1",
            "Invalid OAuth access_token",
            "Invalid OAuth 2.0 Access Token",
            "Error: access_token: is missing",
            "Unsupported access_token = must be a user token",
            "{\"token_type\":\"bearer\"}",
            "OAuth \"Facebook Platform\" \"invalid_token\"",
            "Bearer Standards of Porto Alegre",
            "Pallbearer 20252025",
            "OAuthException123",
            "short",
            "QVFIUjNpUWpVWmRBd0Rn",
            "ünïcödé \\ü \\",
            "100%",
        ] {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn a_token_is_known_by_its_looks() {
        assert_eq!(clean("token EAAGm0PX4ZCpsBAKZCxyz12345 is old"), "token [redacted] is old");
        for before in ["%20", "%3D", "\\n", "\\u0022", "x=", "\\\""] {
            assert_eq!(
                clean(&format!("{before}EAAGm0PX4ZCpsBAKZCxyz12345\"")),
                format!("{before}[redacted]\""),
                "{before}"
            );
        }
        assert_eq!(
            clean("EAA is short, xEAAGm0PX4ZCpsBAKZCxyz12345 is a word"),
            "EAA is short, xEAAGm0PX4ZCpsBAKZCxyz12345 is a word"
        );
    }

    #[test]
    fn a_cut_never_leaves_half_a_secret_or_half_a_character() {
        let redactor = Redactor::new([SECRET.into()]);
        let text = format!("ab{SECRET}{SECRET}€");
        for most in 0..=text.len() {
            let out = redactor.clean(&text, most);
            assert!(out.len() <= most);
            assert!("ab[redacted][redacted]€".starts_with(&out), "{out}");
        }
    }

    #[test]
    fn nul_becomes_the_replacement_character() {
        assert_eq!(clean("a\0b"), "a\u{FFFD}b");
    }

    #[test]
    fn only_a_text_with_a_secret_is_another_without_it() {
        assert_eq!(without_secrets("casa ipê LB-1001"), None);
        assert_eq!(without_secrets("a\0b"), None);
        assert_eq!(without_secrets("Bearer [redacted]"), None);
        assert_eq!(without_secrets("x access_token=abc").as_deref(), Some("x access_token=[redacted]"));
    }

    proptest::proptest! {
        #[test]
        fn what_is_redacted_has_nothing_left_to_redact(
            parts in proptest::collection::vec(
                "access_token|bearer|code|EAA[A-Za-z0-9]{18,24}|[\"'\\\\ =:&?%+\\[\\]]{1,3}|%3D|%20|[a-z0-9]{1,9}", 0..12)
        ) {
            let once = redacted(&parts.concat());
            proptest::prop_assert_eq!(redacted(&once), once);
        }
    }

    #[test]
    fn redacting_twice_changes_nothing() {
        let once = clean(&format!("access_token={SECRET}&x=1 {{\"client_secret\":\"{SECRET}\"}}"));
        assert_eq!(clean(&once), once);
    }
}
