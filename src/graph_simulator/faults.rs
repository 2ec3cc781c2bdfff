//! What can go wrong with a call, by plan or by chance.

use super::{error::GraphError, named::named, opaque::Opaque, operation::Operation, tokens::Ending};

named! {
    /// One way for a call to fail. Those that say "after" let the call take effect first.
    Fault {
        /// HTTP 500, code 2, transient.
        ServerError = "server-error",
        /// HTTP 503, code 2, transient.
        Unavailable = "unavailable",
        /// Code 1.
        UnknownError = "unknown-error",
        /// HTTP 502 with an HTML page.
        BadGateway = "bad-gateway",
        /// No answer, no effect.
        HangBefore = "hang-before",
        /// The call takes effect and no answer comes.
        HangAfter = "hang-after",
        /// The connection is reset, no effect.
        ResetBefore = "reset-before",
        /// The call takes effect and the connection is reset.
        ResetAfter = "reset-after",
        /// After: a whole HTTP answer whose JSON stops midway.
        CutJson = "cut-json",
        /// After: the connection ends midway through the body.
        CutBody = "cut-body",
        /// After: 200 and nothing.
        EmptyBody = "empty-body",
        /// After: 200 and `{}`.
        EmptyObject = "empty-object",
        /// After: the right JSON, called `text/html`.
        WrongType = "wrong-type",
        /// After: 200 and an HTML page.
        HtmlPage = "html-page",
        /// Code 4, subcode 2446079, with usage headers.
        AppLimit = "app-limit",
        /// Code 17.
        UserLimit = "user-limit",
        /// Code 613, subcode 1996.
        CustomLimit = "custom-limit",
        /// Code 80007.
        WabaLimit = "waba-limit",
        /// Code 80008 with minutes to regain access.
        PartnerLimit = "partner-limit",
        /// Code 368.
        Blocked = "blocked",
        /// Code 10.
        PermissionRemoved = "permission-removed",
        /// Code 200.
        PermissionDenied = "permission-denied",
        /// Code 803, HTTP 404.
        NotFound = "not-found",
        /// Code 1752041.
        Duplicate = "duplicate",
        /// 190/463.
        TokenExpired = "token-expired",
        /// 190/467.
        TokenLoggedOut = "token-logged-out",
        /// 190/458.
        TokenAppRemoved = "token-app-removed",
        /// 190/459.
        TokenCheckpointed = "token-checkpointed",
        /// 190/460.
        TokenPasswordChanged = "token-password-changed",
        /// 190/464.
        TokenUnconfirmed = "token-unconfirmed",
        /// 190/492.
        TokenRoleLost = "token-role-lost",
    }
}

/// How a fault comes to pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Graph answers with this error, nothing happens.
    Error(Box<GraphError>),
    BadGateway,
    HangBefore,
    ResetBefore,
    After(After),
}

/// What becomes of the answer to a call that took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    Hang,
    Reset,
    CutJson,
    CutBody,
    EmptyBody,
    EmptyObject,
    WrongType,
    HtmlPage,
}

impl Fault {
    /// `token` makes the error of an ended token, `minutes` is the regain time to name.
    pub(super) fn effect(self, minutes: u32, throttle_http: u16, token: impl Fn(Ending) -> GraphError) -> Effect {
        let error = match self {
            Self::BadGateway => return Effect::BadGateway,
            Self::HangBefore => return Effect::HangBefore,
            Self::ResetBefore => return Effect::ResetBefore,
            Self::HangAfter => return Effect::After(After::Hang),
            Self::ResetAfter => return Effect::After(After::Reset),
            Self::CutJson => return Effect::After(After::CutJson),
            Self::CutBody => return Effect::After(After::CutBody),
            Self::EmptyBody => return Effect::After(After::EmptyBody),
            Self::EmptyObject => return Effect::After(After::EmptyObject),
            Self::WrongType => return Effect::After(After::WrongType),
            Self::HtmlPage => return Effect::After(After::HtmlPage),
            Self::ServerError => GraphError::unexpected(500),
            Self::Unavailable => GraphError::unexpected(503),
            Self::UnknownError => GraphError::new(1, "An unknown error has occurred."),
            Self::AppLimit => GraphError::app_limit(throttle_http, minutes),
            Self::UserLimit => GraphError::limit(17, "User request limit reached", minutes),
            Self::CustomLimit => {
                GraphError::limit(613, "Calls to this api have exceeded the rate limit.", minutes).subcode(1996)
            }
            Self::WabaLimit => GraphError::limit(80007, "Rate limit issues", minutes),
            Self::PartnerLimit => partner_limit(minutes),
            Self::Blocked => {
                GraphError::new(368, "(#368) The action attempted has been deemed abusive or is otherwise disallowed")
            }
            Self::PermissionRemoved => GraphError::permission_removed(),
            Self::PermissionDenied => GraphError::lacks_permission("whatsapp_business_management"),
            Self::NotFound => GraphError::not_found("Business not found"),
            Self::Duplicate => GraphError::duplicate_request(),
            Self::TokenExpired => token(Ending::Expired),
            Self::TokenLoggedOut => token(Ending::LoggedOut),
            Self::TokenAppRemoved => token(Ending::AppRemoved),
            Self::TokenCheckpointed => token(Ending::Checkpointed),
            Self::TokenPasswordChanged => token(Ending::PasswordChanged),
            Self::TokenUnconfirmed => token(Ending::Unconfirmed),
            Self::TokenRoleLost => token(Ending::RoleLost),
        };
        Effect::Error(Box::new(error))
    }
}

/// 80008 (facts 7.1).
pub(super) fn partner_limit(minutes: u32) -> GraphError {
    GraphError::limit(
        80008,
        "There have been too many calls to this WhatsApp Business account. Wait a bit and try again.",
        minutes,
    )
}

/// A fault that strikes now and then. As text: `operation:fault:probability`, for example `onboard:reset-after:0.05`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chance {
    /// Calls it may strike.
    pub operation: Operation,
    /// What happens to them.
    pub fault: Fault,
    /// From 0 (never) to 1 (always).
    pub probability: f64,
}

impl std::str::FromStr for Chance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let [operation, fault, probability] = parts.as_slice() else {
            return Err(format!("'{text}' is not operation:fault:probability, for example onboard:reset-after:0.05"));
        };
        let probability = probability
            .parse()
            .ok()
            .filter(|number| (0.0..=1.0).contains(number))
            .ok_or_else(|| format!("'{probability}' is not a number from 0 to 1"))?;
        Ok(Self { operation: operation.parse()?, fault: fault.parse()?, probability })
    }
}

/// The faults to come.
#[derive(Debug, Default)]
pub(super) struct Faults {
    planned: Vec<(Operation, Fault, u32)>,
    chances: Vec<Chance>,
}

impl Faults {
    pub(super) const fn new(chances: Vec<Chance>) -> Self {
        Self { planned: Vec::new(), chances }
    }

    /// The next `times` calls of an operation fail so; plans for one operation are used up in order.
    pub(super) fn plan(&mut self, operation: Operation, fault: Fault, times: u32) {
        if times > 0 {
            self.planned.push((operation, fault, times));
        }
    }

    pub(super) fn set_chance(&mut self, chance: Chance) {
        self.chances.retain(|old| (old.operation, old.fault) != (chance.operation, chance.fault));
        if chance.probability > 0.0 {
            self.chances.push(chance);
        }
    }

    pub(super) fn clear(&mut self) {
        self.planned.clear();
        self.chances.clear();
    }

    pub(super) fn planned(&self) -> &[(Operation, Fault, u32)] {
        &self.planned
    }

    pub(super) fn chances(&self) -> &[Chance] {
        &self.chances
    }

    pub(super) fn draw(&mut self, operation: Operation, opaque: &Opaque) -> Option<Fault> {
        let meant = |wanted: Operation| wanted == operation || wanted == Operation::Any;
        if let Some(place) = self.planned.iter().position(|(wanted, ..)| meant(*wanted)) {
            let (_, fault, left) = &mut self.planned[place];
            let fault = *fault;
            *left -= 1;
            if *left == 0 {
                self.planned.remove(place);
            }
            return Some(fault);
        }
        self.chances
            .iter()
            .find(|chance| meant(chance.operation) && opaque.fraction() < chance.probability)
            .map(|chance| chance.fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_strikes_as_often_as_it_says_and_only_what_it_names() {
        let (mut faults, opaque) = (Faults::default(), Opaque::new(1));
        faults.plan(Operation::Onboard, Fault::ResetAfter, 2);
        faults.plan(Operation::Onboard, Fault::ServerError, 1);
        assert_eq!(faults.draw(Operation::ClientWabas, &opaque), None);
        let drawn: Vec<_> = (0..4).map(|_| faults.draw(Operation::Onboard, &opaque)).collect();
        assert_eq!(drawn, [Some(Fault::ResetAfter), Some(Fault::ResetAfter), Some(Fault::ServerError), None]);
    }

    #[test]
    fn a_chance_strikes_about_as_often_as_it_says() {
        let (mut faults, opaque) = (Faults::new(vec!["any:server-error:0.25".parse().unwrap()]), Opaque::new(3));
        let struck = (0..4000).filter(|_| faults.draw(Operation::Me, &opaque).is_some()).count();
        assert!((800..1200).contains(&struck), "{struck}");
        faults.set_chance(Chance { operation: Operation::Any, fault: Fault::ServerError, probability: 0.0 });
        assert_eq!(faults.draw(Operation::Me, &opaque), None);
    }

    #[test]
    fn a_chance_that_is_no_chance_is_refused() {
        for bad in ["onboard", "onboard:server-error:2", "onboard:nothing:0.1", "x:server-error:0.1"] {
            assert!(bad.parse::<Chance>().is_err(), "{bad}");
        }
    }
}
