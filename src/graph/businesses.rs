//! Who the token belongs to, their portfolios, and how far a business is with the terms of service.

use serde_json::Value;

use super::{
    call::Operation,
    client::Caller,
    error::{Error, Failure},
    ids::{BusinessId, UserId},
    paging::{self, Cursor, Page},
    request::Request,
    wire::{id, text, upper},
};

/// The name of the field on a business and on a WABA; its shape differs between them (4.11).
pub(super) const ONBOARDING_STATUS: &str = "marketing_messages_onboarding_status";

/// The person, or system user, a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The id this app knows the person by.
    pub id: UserId,
    /// The name; empty if Meta gave none.
    pub name: String,
}

/// A business portfolio a person belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portfolio {
    /// The business's id.
    pub id: BusinessId,
    /// Its name; empty if Meta gave none.
    pub name: String,
    /// `VERIFIED`, `NOT_VERIFIED`, .. in upper case (1.11), whichever value Meta sends.
    pub verification_status: Option<String>,
}

/// How far a business is with the terms of service for Marketing Messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BusinessStatus {
    /// `NOT_STARTED`, `REQUEST_SENT` or `TERM_OF_SERVICE_SIGNED`, in upper case (4.11). `None` is unknown, not "not started".
    pub status: Option<String>,
    /// Since when, as Meta writes it: a date such as `2025-10-07`.
    pub date: Option<String>,
}

impl BusinessStatus {
    /// Reads the field of a business. Meta documents an object of status and time; a bare text is taken for the status.
    pub(super) fn of(business: &Value) -> Option<Self> {
        let status = match business.get(ONBOARDING_STATUS)? {
            field @ Value::Object(_) => Self { status: upper(field, "status"), date: text(field, "time") },
            _ => Self { status: upper(business, ONBOARDING_STATUS), date: None },
        };
        (status != Self::default()).then_some(status)
    }
}

impl Caller {
    /// `GET /me` (6.8).
    pub async fn me(&self) -> Result<Person, Error> {
        let request = Request::new(Operation::ReadMe, ["me"]).with("fields", "id,name");
        self.call(request, |me| {
            let id = id(me, "id").ok_or(Failure::UnexpectedShape)?;
            Ok(Person { id, name: text(me, "name").unwrap_or_default() })
        })
        .await
    }

    /// One page of `GET /me/businesses` (6.8).
    pub async fn my_businesses(&self, after: Option<&Cursor>) -> Result<Page<Portfolio>, Error> {
        let request = Request::new(Operation::ListMyBusinesses, ["me", "businesses"])
            .with("fields", "id,name,verification_status");
        self.call(paging::of_page(request, after), paging::reader(after, portfolio)).await
    }

    /// `GET /{business-id}?fields=marketing_messages_onboarding_status` (4.11). Both parts are `None` if Meta keeps silent.
    pub async fn business_status(&self, business: &BusinessId) -> Result<BusinessStatus, Error> {
        let request =
            Request::of_business(Operation::ReadBusinessStatus, business, None).with("fields", ONBOARDING_STATUS);
        self.call(request, |business| match business {
            Value::Object(_) => Ok(BusinessStatus::of(business).unwrap_or_default()),
            _ => Err(Failure::UnexpectedShape),
        })
        .await
    }
}

fn portfolio(row: &Value) -> Option<Portfolio> {
    Some(Portfolio {
        id: id(row, "id")?,
        name: text(row, "name").unwrap_or_default(),
        verification_status: upper(row, "verification_status"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(status: &str, date: Option<&str>) -> BusinessStatus {
        BusinessStatus { status: Some(status.into()), date: date.map(str::to_owned) }
    }

    #[test]
    fn the_status_of_a_business_is_an_object_or_a_text() {
        for (field, read) in [
            (
                json!({"status": "TERM_OF_SERVICE_SIGNED", "time": "2025-10-07"}),
                Some(status("TERM_OF_SERVICE_SIGNED", Some("2025-10-07"))),
            ),
            (json!({"status": "request_sent"}), Some(status("REQUEST_SENT", None))),
            (json!("NOT_STARTED"), Some(status("NOT_STARTED", None))),
            (json!({"status": "SOMETHING_NEW"}), Some(status("SOMETHING_NEW", None))),
            (json!({}), None),
            (json!(null), None),
            (json!([]), None),
        ] {
            assert_eq!(BusinessStatus::of(&json!({ (ONBOARDING_STATUS): field })), read);
        }
    }

    #[test]
    fn a_missing_status_stays_unknown() {
        assert_eq!(BusinessStatus::of(&json!({"id": "1"})), None);
    }

    #[test]
    fn portfolios_keep_states_nobody_knows() {
        let row = json!({"id": 7, "name": "Ünïcödé <b>", "verification_status": "not_verified"});
        let read = portfolio(&row).unwrap();
        assert_eq!((read.id.as_str(), read.name.as_str()), ("7", "Ünïcödé <b>"));
        assert_eq!(read.verification_status.as_deref(), Some("NOT_VERIFIED"));
        assert_eq!(portfolio(&json!({"name": "no id"})), None);
    }
}
