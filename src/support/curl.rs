//! A call as a command to repeat it by hand. The token and its proof are variables of the shell; all else is quoted, whatever it holds.

use std::fmt::Write as _;

use url::Url;

use crate::graph::REDACTED;

/// The command for one call at `graph`. Pasted into a shell it runs curl with the very path and query, and nothing else: curl itself is told to take braces as they are.
pub fn curl(graph: &Url, method: &str, path: &str, query: &str) -> String {
    let mut url = Quoted::default();
    url.text(graph.as_str().trim_end_matches('/'));
    url.text(path);
    let mut mark = "?";
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // The header below carries the token.
        if name == "access_token" {
            continue;
        }
        url.text(mark);
        url.text(name);
        if pair.contains('=') {
            url.text("=");
        }
        if value == REDACTED {
            url.variable(&variable_for(name));
        } else {
            url.text(value);
        }
        mark = "&";
    }
    let (url, method) = (url.finish(), quoted(method));
    format!(
        "curl --globoff --request {method} \\\n  --header \"Authorization: Bearer $ACCESS_TOKEN\" \\\n  --url {url}"
    )
}

/// A variable's name: capitals, digits and underscores, and no digit first.
fn variable_for(name: &str) -> String {
    let letters =
        name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' });
    let name: String = letters.collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) || name.is_empty() { format!("_{name}") } else { name }
}

/// Within single quotes a shell takes everything as it is, but for the single quote itself.
fn quoted(text: &str) -> String {
    let mut quoted = Quoted::default();
    quoted.text(text);
    quoted.finish()
}

/// One word of a shell, put together from text and variables.
#[derive(Default)]
struct Quoted {
    word: String,
    open: bool,
}

impl Quoted {
    fn text(&mut self, text: &str) {
        if !self.open {
            self.word.push('\'');
            self.open = true;
        }
        for letter in text.chars() {
            match letter {
                '\'' => self.word.push_str("'\\''"),
                // A NUL can't be in a word, and a terminal takes other control characters for commands when they are pasted.
                letter if letter.is_control() => self.word.push('\u{fffd}'),
                letter => self.word.push(letter),
            }
        }
    }

    fn variable(&mut self, name: &str) {
        self.close();
        // Writing to a String can't fail.
        let _ = write!(self.word, "\"${name}\"");
    }

    fn close(&mut self) {
        if self.open {
            self.word.push('\'');
            self.open = false;
        }
    }

    fn finish(mut self) -> String {
        self.close();
        self.word
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn graph() -> Url {
        Url::parse("https://graph.facebook.com").unwrap()
    }

    /// What a real shell makes of the command: curl's arguments.
    fn arguments(command: &str) -> Vec<String> {
        let script = format!("curl() {{ for word; do printf '%s\\036' \"$word\"; done; }}\n{command}\n");
        let output = Command::new("sh")
            .args(["-c", &script])
            .env_clear()
            .env("ACCESS_TOKEN", "T")
            .env("APPSECRET_PROOF", "P")
            .output()
            .unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{command}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_terminator('\u{1e}').map(str::to_owned).collect()
    }

    #[test]
    fn a_call_becomes_a_command_with_its_secrets_as_variables() {
        let query = "solution_id=77&appsecret_proof=[redacted]&access_token=[redacted]";
        let command = curl(&graph(), "POST", "/v25.0/2210758843906172/onboard_partners_to_mm_lite", query);
        assert_eq!(
            command,
            "curl --globoff --request 'POST' \\\n  --header \"Authorization: Bearer $ACCESS_TOKEN\" \\\n  --url \
             'https://graph.facebook.com/v25.0/2210758843906172/onboard_partners_to_mm_lite?solution_id=77&appsecret_proof='\"$APPSECRET_PROOF\""
        );
        let url = "https://graph.facebook.com/v25.0/2210758843906172/onboard_partners_to_mm_lite?solution_id=77&appsecret_proof=P";
        assert_eq!(
            arguments(&command),
            ["--globoff", "--request", "POST", "--header", "Authorization: Bearer T", "--url", url]
        );
    }

    #[test]
    fn nothing_in_a_call_is_a_command() {
        for hostile in [
            "'; touch /tmp/x; '",
            "$(reboot)",
            "`reboot`",
            "\\'; reboot #",
            "!!",
            "\"$HOME\"",
            "a\nreboot\n",
            "*?~{a,b}",
            "\u{202e}'\u{1b}[2J",
            "'",
        ] {
            let shown: String =
                hostile.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect();
            let query = format!("q={hostile}");
            let got = arguments(&curl(&graph(), hostile, hostile, &query));
            let url = format!("https://graph.facebook.com{shown}?q={shown}");
            let parts: Vec<&str> = hostile.split('&').collect();
            assert_eq!(parts.len(), 1);
            assert_eq!(
                got,
                ["--globoff", "--request", &shown, "--header", "Authorization: Bearer T", "--url", &url],
                "{hostile:?}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_path_comes_out_of_a_shell_as_it_went_in(path in "/[ -~]{0,60}") {
            let got = arguments(&curl(&graph(), "GET", &path, ""));
            prop_assert_eq!(got.last().unwrap(), &format!("https://graph.facebook.com{path}"));
        }
    }
}
