//! Who is calling and what they may see: access tokens, `appsecret_proof`, permissions (facts 6.5 to 6.10).

use std::collections::BTreeSet;

use super::{call::Call, error::GraphError, opaque::hmac_hex, options::Quirk, shared::Shared, tokens::Holder};

/// The permissions a person can grant.
pub(super) const SCOPES: [&str; 8] = [
    "public_profile",
    "email",
    "business_management",
    "whatsapp_business_management",
    "whatsapp_business_messaging",
    "whatsapp_business_manage_events",
    "manage_app_solution",
    "ads_read",
];

/// What the token of a call stands for.
#[derive(Clone, Debug)]
pub(super) enum Viewer {
    /// `{app id}|{app secret}`.
    App,
    /// A person or a system user.
    User { holder: Holder, partners: Vec<usize>, scopes: BTreeSet<String>, removed: BTreeSet<String> },
}

impl Viewer {
    /// The partners it may act for.
    pub(super) fn partners(&self) -> &[usize] {
        match self {
            Self::App => &[],
            Self::User { partners, .. } => partners,
        }
    }

    /// 200 for a permission never granted, 10 for one taken away.
    pub(super) fn require(&self, scope: &str) -> Result<(), GraphError> {
        match self {
            Self::User { scopes, .. } if scopes.contains(scope) => Ok(()),
            Self::User { removed, .. } if removed.contains(scope) => Err(GraphError::permission_removed()),
            _ => Err(GraphError::lacks_permission(scope)),
        }
    }

    pub(super) const fn is_system_user(&self) -> bool {
        matches!(self, Self::User { holder: Holder::System(_), .. })
    }
}

impl Shared {
    /// The viewer of a call, or the error its token deserves.
    pub(super) fn authenticate(&self, call: &Call) -> Result<Viewer, GraphError> {
        let Some(token) = call.token.as_deref() else { return Err(GraphError::no_token()) };
        let viewer = self.viewer(token)?;
        match call.params.get("appsecret_proof") {
            Some(proof) if !proof.eq_ignore_ascii_case(&hmac_hex(&self.options.app_secret, token.as_bytes())) => {
                return Err(proof_error("Invalid appsecret_proof provided in the API argument"));
            }
            None if self.has(Quirk::ProofRequired) && !matches!(viewer, Viewer::App) => {
                return Err(proof_error("API calls from the server require an appsecret_proof argument"));
            }
            _ => {}
        }
        Ok(viewer)
    }

    pub(super) fn viewer(&self, token: &str) -> Result<Viewer, GraphError> {
        let options = &self.options;
        if let Some((id, secret)) = token.split_once('|') {
            return if id == options.app_id && secret == options.app_secret {
                Ok(Viewer::App)
            } else {
                Err(GraphError::bad_token("Invalid OAuth access token signature."))
            };
        }
        let tokens = self.tokens();
        let Some(found) = tokens.get(token) else {
            return Err(GraphError::bad_token("Invalid OAuth access token - Cannot parse access token"));
        };
        let now = self.clock.now();
        if let Some((ending, at)) = found.ended(now) {
            return Err(ending.error(&options.app_id, at, now));
        }
        let (holder, scopes, removed) = (found.holder, found.scopes.clone(), found.removed.clone());
        drop(tokens);
        let partners = match holder {
            Holder::Person(person) => self.world().people[person].partners.clone(),
            Holder::System(partner) => vec![partner],
        };
        Ok(Viewer::User { holder, partners, scopes, removed })
    }
}

fn proof_error(message: &str) -> GraphError {
    GraphError { kind: "GraphMethodException", ..GraphError::new(100, message) }
}
