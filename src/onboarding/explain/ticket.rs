//! What Meta Direct Support asks for, as text to paste. The token is left out.

use std::fmt::{self, Write as _};

use time::{OffsetDateTime, UtcOffset};

use crate::graph::{BusinessId, SolutionId};

/// One call that Meta did not take. Displayed, it is the text to paste.
#[derive(Clone, Copy, Debug)]
pub struct Ticket<'a> {
    /// Method and path, such as `POST /v25.0/2210758843906172/onboard_partners_to_mm_lite`.
    pub endpoint: &'a str,
    /// The business that was asked; `None` for a call that is to none.
    pub business: Option<&'a BusinessId>,
    /// The partner who asked.
    pub partner: &'a BusinessId,
    /// The app that called.
    pub app: &'a str,
    /// The solution named, if one was.
    pub solution: Option<&'a SolutionId>,
    /// When the call left.
    pub at: OffsetDateTime,
    /// HTTP status; `None`: no answer.
    pub http: Option<u16>,
    /// Graph's code.
    pub code: Option<i64>,
    /// Graph's subcode.
    pub subcode: Option<i64>,
    /// Graph's message, for developers.
    pub message: Option<&'a str>,
    /// Meta's name for the call.
    pub fbtrace_id: Option<&'a str>,
    /// Meta's other name for the call, from a header.
    pub x_fb_request_id: Option<&'a str>,
}

impl Ticket<'_> {
    fn answer(&self) -> String {
        let Some(http) = self.http else { return "none came".to_owned() };
        let mut answer = format!("HTTP {http}");
        for (word, number) in [("code", self.code), ("subcode", self.subcode)] {
            if let Some(number) = number {
                // Writing to a String can't fail.
                let _ = write!(answer, ", {word} {number}");
            }
        }
        answer
    }
}

/// Each fact is a line, whatever Meta said.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Ticket<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.to_offset(UtcOffset::UTC);
        let not_given = "not given";
        let lines = [
            ("Question type", "WABiz: Marketing Messages".to_owned()),
            ("Endpoint", self.endpoint.to_owned()),
            ("Time", format!("{} {:02}:{:02}:{:02} UTC", at.date(), at.hour(), at.minute(), at.second())),
            ("Answer", self.answer()),
            ("Message", self.message.map_or_else(|| not_given.to_owned(), one_line)),
            ("fbtrace_id", self.fbtrace_id.unwrap_or(not_given).to_owned()),
            ("x-fb-request-id", self.x_fb_request_id.unwrap_or(not_given).to_owned()),
            ("End business", self.business.map_or_else(|| "none".to_owned(), ToString::to_string)),
            ("Solution", self.solution.map_or_else(|| "none".to_owned(), ToString::to_string)),
            ("Partner", self.partner.to_string()),
            ("App", self.app.to_owned()),
            ("Token", "left out".to_owned()),
        ];
        for (at, (term, value)) in lines.iter().enumerate() {
            let end = if at + 1 < lines.len() { "\n" } else { "" };
            write!(f, "{term:<16}{value}{end}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_holds_all_that_direct_support_asks_for() {
        let business = "2210758843906172".parse().unwrap();
        let partner = "418206733951027".parse().unwrap();
        let ticket = Ticket {
            endpoint: "POST /v25.0/2210758843906172/onboard_partners_to_mm_lite",
            business: Some(&business),
            partner: &partner,
            app: "731940286655018",
            solution: None,
            at: time::macros::datetime!(2026-11-24 10:21:09.345 +1),
            http: Some(403),
            code: Some(200),
            subcode: Some(1_349_174),
            message: Some("(#200) No\n permission"),
            fbtrace_id: Some("AfR7uWcN1eKq_Zs84TgXo2M"),
            x_fb_request_id: Some("AbC"),
        };
        assert_eq!(
            ticket.to_string(),
            "Question type   WABiz: Marketing Messages\n\
             Endpoint        POST /v25.0/2210758843906172/onboard_partners_to_mm_lite\n\
             Time            2026-11-24 09:21:09 UTC\n\
             Answer          HTTP 403, code 200, subcode 1349174\n\
             Message         (#200) No permission\n\
             fbtrace_id      AfR7uWcN1eKq_Zs84TgXo2M\n\
             x-fb-request-id AbC\n\
             End business    2210758843906172\n\
             Solution        none\n\
             Partner         418206733951027\n\
             App             731940286655018\n\
             Token           left out"
        );
        let unanswered = Ticket { http: None, code: None, subcode: None, fbtrace_id: None, ..ticket }.to_string();
        assert!(unanswered.contains("Answer          none came\n"), "{unanswered}");
        assert!(unanswered.contains("fbtrace_id      not given\n"), "{unanswered}");
        let bare = Ticket { code: None, subcode: None, ..ticket }.to_string();
        assert!(bare.contains("Answer          HTTP 403\n"), "{bare}");
    }
}
