//! What a call is for: the names by which faults are planned and calls are counted.

use super::{call::Call, named::named, options::OTHER_APP_ID, shared::Shared, world::Node};

named! {
    /// A kind of call.
    Operation {
        /// Every kind, for planning faults.
        Any = "any",
        /// `POST /{business}/onboard_partners_to_mm_lite`.
        Onboard = "onboard",
        /// `GET /{partner}/client_whatsapp_business_accounts`.
        ClientWabas = "client-wabas",
        /// `GET /{partner}/owned_whatsapp_business_accounts`.
        OwnedWabas = "owned-wabas",
        /// `GET /{app}/whatsapp_business_solutions`.
        Solutions = "solutions",
        /// `GET /{app}/connected_client_businesses`.
        ConnectedBusinesses = "connected-businesses",
        /// `GET /{business}` or a partner's own portfolio.
        Business = "business",
        /// `GET /{business}/business_users`.
        BusinessUsers = "business-users",
        /// `GET /{waba}` and its edges.
        Waba = "waba",
        /// `GET /{solution}`.
        Solution = "solution",
        /// `GET /{app}`.
        App = "app",
        /// `/oauth/access_token` with a code.
        ExchangeCode = "exchange-code",
        /// `/oauth/access_token` with `fb_exchange_token`.
        ExtendToken = "extend-token",
        /// `/oauth/access_token` with `client_credentials`.
        AppToken = "app-token",
        /// `/debug_token`.
        DebugToken = "debug-token",
        /// `/oauth/revoke`.
        RevokeToken = "revoke-token",
        /// `/me`.
        Me = "me",
        /// `/me/businesses`.
        MyBusinesses = "my-businesses",
        /// `/me/permissions`.
        MyPermissions = "my-permissions",
        /// `/?ids=`.
        ReadMany = "read-many",
        /// `POST /` with `batch`.
        Batch = "batch",
        /// The consent page.
        Dialog = "dialog",
        /// Anything else.
        Other = "other",
    }
}

impl Operation {
    /// Counted against the partner's own limit as well as the app's (facts 7.6).
    pub(super) const fn is_partner_limited(self) -> bool {
        matches!(self, Self::Onboard | Self::ClientWabas | Self::OwnedWabas | Self::Waba)
    }

    /// The `type` in `X-Business-Use-Case-Usage`; no document prints one for these calls (facts 7.7).
    pub(super) const fn usage_type(self) -> &'static str {
        if matches!(self, Self::Onboard) { "business_partner_integrations" } else { "whatsapp_business_management" }
    }
}

impl Shared {
    pub(super) fn operation(&self, call: &Call) -> Operation {
        match call.parts().as_slice() {
            [] if call.params.get("batch").is_some() => Operation::Batch,
            [] if call.params.get("ids").is_some() => Operation::ReadMany,
            ["dialog", "oauth"] => Operation::Dialog,
            ["oauth", "access_token"] => match call.params.get("grant_type") {
                Some("fb_exchange_token") => Operation::ExtendToken,
                Some("client_credentials") => Operation::AppToken,
                _ => Operation::ExchangeCode,
            },
            ["oauth", "revoke"] => Operation::RevokeToken,
            ["debug_token"] => Operation::DebugToken,
            ["me"] => Operation::Me,
            ["me", "businesses"] => Operation::MyBusinesses,
            ["me", "permissions", ..] => Operation::MyPermissions,
            [_, "onboard_partners_to_mm_lite"] => Operation::Onboard,
            [_, "client_whatsapp_business_accounts"] => Operation::ClientWabas,
            [_, "owned_whatsapp_business_accounts"] => Operation::OwnedWabas,
            [_, "whatsapp_business_solutions"] => Operation::Solutions,
            [_, "connected_client_businesses"] => Operation::ConnectedBusinesses,
            [_, "business_users"] => Operation::BusinessUsers,
            [id, rest @ ..] => {
                let node = self.world().find(id);
                match (node, rest) {
                    (Some(Node::Waba(_)), _) => Operation::Waba,
                    (Some(Node::Business(_) | Node::Partner(_)), []) => Operation::Business,
                    (Some(Node::Solution(_)), []) => Operation::Solution,
                    (None, []) if *id == self.options.app_id || *id == OTHER_APP_ID => Operation::App,
                    _ => Operation::Other,
                }
            }
            _ => Operation::Other,
        }
    }
}
