//! Graph's errors: one constructor each, with the code, type, HTTP status and words of Graph facts 1.4, 4.8, 6.10 and 7.1.

use serde_json::{Value, json};

/// An error as Graph words it; `fbtrace_id` is added where the answer is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GraphError {
    pub http: u16,
    pub kind: &'static str,
    pub code: u32,
    pub subcode: Option<u32>,
    pub message: String,
    pub transient: bool,
    pub user: Option<(String, String)>,
    /// Minutes until calls are welcome again, for the usage header (7.7).
    pub regain_minutes: Option<u32>,
}

pub(super) const ALREADY_SENT: &str = "Your business has already sent this request. To follow up on the request, contact the business you're requesting access from.";
pub(super) const INVALID_RECIPIENT: &str = "Invalid recipient type";
pub(super) const NO_ADVANCED_ACCESS: &str = "The app does not have sufficient permissions to call this API.";

impl GraphError {
    pub(super) fn new(code: u32, message: impl Into<String>) -> Self {
        Self {
            http: status_of(code),
            kind: "OAuthException",
            code,
            subcode: None,
            message: message.into(),
            transient: false,
            user: None,
            regain_minutes: None,
        }
    }

    pub(super) const fn subcode(mut self, subcode: u32) -> Self {
        self.subcode = Some(subcode);
        self
    }

    pub(super) const fn http(mut self, http: u16) -> Self {
        self.http = http;
        self
    }

    pub(super) const fn transient(mut self) -> Self {
        self.transient = true;
        self
    }

    fn method(code: u32, message: impl Into<String>) -> Self {
        Self { kind: "GraphMethodException", ..Self::new(code, message) }
    }

    fn user(mut self, title: &str, text: &str) -> Self {
        self.user = Some((title.to_owned(), text.to_owned()));
        self
    }

    pub(super) fn invalid(message: impl std::fmt::Display) -> Self {
        Self::new(100, format!("(#100) {message}"))
    }

    /// 100/33: the id doesn't exist, or isn't ours to see, or is of another kind (7.1).
    pub(super) fn unsupported(method: &str, id: &str) -> Self {
        Self::method(
            100,
            format!(
                "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api"
            ),
        )
        .subcode(33)
    }

    pub(super) fn unknown_path(path: &str) -> Self {
        Self::new(2500, format!("Unknown path components: /{path}"))
    }

    pub(super) fn unknown_field(field: &str, node: &str) -> Self {
        Self::invalid(format_args!("Tried accessing nonexisting field ({field}) on node type ({node})"))
    }

    pub(super) fn no_token() -> Self {
        Self::new(104, "An access token is required to request this resource.")
    }

    pub(super) fn bad_token(message: impl Into<String>) -> Self {
        Self::new(190, message)
    }

    /// 200: a permission that was never granted (1.4, sibling pages).
    pub(super) fn lacks_permission(permission: &str) -> Self {
        Self::new(200, format!("(#200) Requires {permission} permission to manage the object"))
            .subcode(1_349_174)
            .user("Permission Denied", "Your app doesn't have permission to access this resource")
    }

    /// 10: a permission that was granted and taken away (7.1).
    pub(super) fn permission_removed() -> Self {
        Self::new(10, "(#10) Application does not have permission for this action")
    }

    pub(super) fn app_limit(http: u16, minutes: u32) -> Self {
        Self {
            regain_minutes: Some(minutes),
            ..Self::new(4, "Application request limit reached").subcode(2_446_079).http(http).transient()
        }
    }

    pub(super) fn limit(code: u32, message: &str, minutes: u32) -> Self {
        Self { regain_minutes: Some(minutes), ..Self::new(code, format!("(#{code}) {message}")).transient() }
    }

    pub(super) fn duplicate_request() -> Self {
        Self::new(1_752_041, "(#1752041) Duplicate Request").user(
            "Duplicate Request",
            "This business was already invited to onboard to Marketing Messages API by a partner.",
        )
    }

    pub(super) fn intent_elsewhere() -> Self {
        Self::new(2_593_079, "(#2593079) The OBO WABA is already marked to migrate to another solution")
    }

    pub(super) fn not_movable() -> Self {
        Self::new(2_593_085, "(#2593085) The WABA is not valid for OBO mobility")
    }

    /// A refusal that Meta documents by its text alone (4.8).
    pub(super) fn by_text(code: u32, text: &str, in_user_message: bool) -> Self {
        if in_user_message { Self::new(code, "Invalid parameter").user(text, text) } else { Self::new(code, text) }
    }

    pub(super) fn not_found(message: &str) -> Self {
        Self::method(803, message)
    }

    pub(super) fn unexpected(http: u16) -> Self {
        Self::method(2, "An unexpected error occurred. Please retry your request").http(http).transient()
    }

    /// The body, as Graph writes it.
    pub(super) fn body(&self, fbtrace_id: &str) -> Value {
        let mut error =
            json!({"message": self.message, "type": self.kind, "code": self.code, "fbtrace_id": fbtrace_id});
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = subcode.into();
        }
        if self.transient {
            error["is_transient"] = true.into();
        }
        if let Some((title, text)) = &self.user {
            error["is_transient"] = self.transient.into();
            error["error_user_title"] = title.as_str().into();
            error["error_user_msg"] = text.as_str().into();
        }
        json!({ "error": error })
    }
}

/// The HTTP column of 7.1.
const fn status_of(code: u32) -> u16 {
    match code {
        0 | 102 | 190 => 401,
        2 => 503,
        3 => 500,
        10 | 200..=299 | 368 => 403,
        803 => 404,
        _ => 400,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_every_part_graph_gives() {
        let body = GraphError::app_limit(400, 5).body("Atrace");
        assert_eq!(
            body,
            json!({"error": {"message": "Application request limit reached", "type": "OAuthException", "code": 4,
                "error_subcode": 2_446_079, "is_transient": true, "fbtrace_id": "Atrace"}})
        );
    }

    #[test]
    fn limits_come_as_400_and_permissions_as_403() {
        assert_eq!(GraphError::limit(80008, "limit", 1).http, 400);
        assert_eq!(GraphError::lacks_permission("business_management").http, 403);
        assert_eq!(GraphError::bad_token("no").http, 401);
    }

    #[test]
    fn a_refusal_known_by_text_may_hide_it_in_the_user_message() {
        let plain = GraphError::by_text(100, INVALID_RECIPIENT, false).body("A");
        assert_eq!(plain["error"]["message"], INVALID_RECIPIENT);
        let hidden = GraphError::by_text(100, INVALID_RECIPIENT, true).body("A");
        assert_eq!(hidden["error"]["message"], "Invalid parameter");
        assert_eq!(hidden["error"]["error_user_msg"], INVALID_RECIPIENT);
    }
}
