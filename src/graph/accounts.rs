//! The WhatsApp Business Accounts a partner can reach (section 2). They are accounts, not businesses: whose they are is
//! [`Waba::end_business`].

use serde_json::Value;

use super::{
    businesses::{BusinessStatus, ONBOARDING_STATUS},
    call::Operation,
    client::Caller,
    error::{Error, GraphError},
    ids::{BusinessId, WabaId},
    paging::{self, Cursor, Page},
    request::Request,
    wire::{id, text, upper},
};

/// What is asked of each WABA. Each field is documented somewhere (2.2, 4.11), their combination on a list isn't.
const FIELDS: &str = "id,name,country,currency,timezone_id,account_review_status,business_verification_status,\
                      ownership_type,owner_business_info,on_behalf_of_business_info,\
                      marketing_messages_onboarding_status";

/// What is asked when Graph refuses one of [`FIELDS`]: those the list's own page documents (2.2), and whose the WABA is (2.3).
const FEWER_FIELDS: &str = "id,name,country,currency,timezone_id,account_review_status,business_verification_status,\
                            ownership_type,owner_business_info,on_behalf_of_business_info";

/// A WhatsApp Business Account as a list shows it. Named values are in upper case, and unknown ones are kept as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waba {
    /// Its id, which is never the id of a business.
    pub id: WabaId,
    /// Its name; empty if Meta gave none.
    pub name: String,
    /// The business that owns it.
    pub owner: Option<Owner>,
    /// The client for whom its owner, a partner, holds it.
    pub on_behalf_of: Option<Owner>,
    /// Two letters.
    pub country: Option<String>,
    /// Three letters.
    pub currency: Option<String>,
    /// Meta's number of the time zone.
    pub timezone_id: Option<String>,
    /// `APPROVED`, `PENDING`, ..
    pub review_status: Option<String>,
    /// `VERIFIED`, .. of the business it belongs to.
    pub verification_status: Option<String>,
    /// `CLIENT_OWNED`, ..
    pub ownership_type: Option<String>,
    /// `ELIGIBLE`, `ONBOARDED`, `INELIGIBLE_..`, `PENDING_..` (4.11): whether it can send Marketing Messages. `None` is unknown.
    pub eligibility: Option<String>,
}

/// A business a WABA belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its id: what the onboarding call is sent to.
    pub id: BusinessId,
    /// Its name.
    pub name: Option<String>,
    /// How far it is with the terms of service.
    pub onboarding: Option<BusinessStatus>,
}

impl Waba {
    /// The end business: the client of a WABA held on its behalf, else the owner (2.3).
    ///
    /// A WABA that went over to its client counts as the client's, whatever is left of the old relation.
    pub fn end_business(&self) -> Option<&Owner> {
        let (first, second) = if self.ownership_type.as_deref() == Some("CLIENT_OWNED") {
            (&self.owner, &self.on_behalf_of)
        } else {
            (&self.on_behalf_of, &self.owner)
        };
        first.as_ref().or(second.as_ref())
    }
}

impl Caller {
    /// One page of `GET /{business-id}/client_whatsapp_business_accounts`: WABAs shared with this partner (2.1).
    pub async fn client_wabas(&self, partner: &BusinessId, after: Option<&Cursor>) -> Result<Page<Waba>, Error> {
        self.wabas(Operation::ListClientWabas, "client_whatsapp_business_accounts", partner, after).await
    }

    /// One page of `GET /{business-id}/owned_whatsapp_business_accounts`: the partner's own and those it holds for clients (2.8).
    pub async fn owned_wabas(&self, partner: &BusinessId, after: Option<&Cursor>) -> Result<Page<Waba>, Error> {
        self.wabas(Operation::ListOwnedWabas, "owned_whatsapp_business_accounts", partner, after).await
    }

    /// A page with all fields, or, once Graph has refused this caller one of them, with fewer.
    async fn wabas(
        &self,
        operation: Operation,
        edge: &str,
        partner: &BusinessId,
        after: Option<&Cursor>,
    ) -> Result<Page<Waba>, Error> {
        let page = async |fields: &str| {
            let request = Request::of_business(operation, partner, Some(edge)).with("fields", fields);
            self.call(paging::of_page(request, after), paging::reader(after, waba)).await
        };
        if !self.asks_fewer_fields() {
            match page(FIELDS).await {
                Err(error) if error.graph_error().is_some_and(GraphError::refuses_a_field) => self.ask_fewer_fields(),
                result => return result,
            }
        }
        page(FEWER_FIELDS).await
    }
}

fn waba(row: &Value) -> Option<Waba> {
    Some(Waba {
        id: id(row, "id")?,
        name: text(row, "name").unwrap_or_default(),
        owner: row.get("owner_business_info").and_then(owner),
        on_behalf_of: row.get("on_behalf_of_business_info").and_then(owner),
        country: upper(row, "country"),
        currency: upper(row, "currency"),
        timezone_id: text(row, "timezone_id"),
        review_status: upper(row, "account_review_status"),
        verification_status: upper(row, "business_verification_status"),
        ownership_type: upper(row, "ownership_type"),
        eligibility: upper(row, ONBOARDING_STATUS),
    })
}

fn owner(business: &Value) -> Option<Owner> {
    Some(Owner { id: id(business, "id")?, name: text(business, "name"), onboarding: BusinessStatus::of(business) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::stand_in::*, *};

    #[test]
    fn a_full_row_is_read() {
        let read = waba(&json!({
            "id": 25_002_526_842_541_u64, "name": "San Andreas Roofing", "country": "us", "currency": "USD", "timezone_id": 1,
            "account_review_status": "approved", "business_verification_status": "Verified", "ownership_type": "CLIENT_OWNED",
            "marketing_messages_onboarding_status": "ELIGIBLE",
            "owner_business_info": {"name": "Roofing", "id": "2329417887457253",
                "marketing_messages_onboarding_status": {"status": "NOT_STARTED", "time": "2025-08-13"}},
        }));
        let onboarding = Some(BusinessStatus { status: Some("NOT_STARTED".into()), date: Some("2025-08-13".into()) });
        let expected = Waba {
            id: "25002526842541".parse().unwrap(),
            name: "San Andreas Roofing".into(),
            owner: Some(Owner { id: "2329417887457253".parse().unwrap(), name: Some("Roofing".into()), onboarding }),
            on_behalf_of: None,
            country: Some("US".into()),
            currency: Some("USD".into()),
            timezone_id: Some("1".into()),
            review_status: Some("APPROVED".into()),
            verification_status: Some("VERIFIED".into()),
            ownership_type: Some("CLIENT_OWNED".into()),
            eligibility: Some("ELIGIBLE".into()),
        };
        assert_eq!(read, Some(expected));
    }

    #[test]
    fn a_row_needs_nothing_but_its_id() {
        let bare =
            waba(&json!({"id": "1", "owner_business_info": {"name": "without an id"}, "country": null})).unwrap();
        assert_eq!((bare.name.as_str(), bare.owner, bare.country, bare.eligibility), ("", None, None, None));
        assert_eq!(waba(&json!({"name": "without an id"})), None);
    }

    #[test]
    fn states_nobody_knows_stay_text() {
        let read = waba(&json!({"id": "1", "marketing_messages_onboarding_status": "pending_something_new"})).unwrap();
        assert_eq!(read.eligibility.as_deref(), Some("PENDING_SOMETHING_NEW"));
    }

    #[test]
    fn a_waba_held_for_a_client_belongs_to_the_client() {
        let end_business = |row: Value| waba(&row).unwrap().end_business().map(|owner| owner.id.to_string());
        let (partner, client) = (json!({"id": "11"}), json!({"id": "22", "status": "APPROVED", "type": "OBO"}));
        let held = json!({"id": "1", "owner_business_info": partner, "on_behalf_of_business_info": client});
        assert_eq!(end_business(held).as_deref(), Some("22"));
        let moved = json!({"id": "1", "ownership_type": "client_owned", "owner_business_info": {"id": "33"}, "on_behalf_of_business_info": client});
        assert_eq!(end_business(moved).as_deref(), Some("33"));
        assert_eq!(end_business(json!({"id": "1", "owner_business_info": {"id": 33}})).as_deref(), Some("33"));
        assert_eq!(end_business(json!({"id": "1", "on_behalf_of_business_info": client})).as_deref(), Some("22"));
        assert_eq!(end_business(json!({"id": "1"})), None);
    }

    #[tokio::test]
    async fn a_list_is_asked_for_with_its_fields_signed_and_by_cursor() {
        let meta = StandIn::start([
            Reply::json(200, json!({"data": [{"id": "1"}], "paging": {"cursors": {"after": "Q/+="}, "next": "https://elsewhere.example/?access_token=x"}})),
            Reply::json(200, json!({"data": [{"id": "2"}]})),
        ])
        .await;
        let caller = meta.caller();
        let first = caller.client_wabas(&partner(), None).await.unwrap();
        let second = caller.client_wabas(&partner(), first.next.as_ref()).await.unwrap();
        assert_eq!((first.items.len(), second.items.len(), second.next), (1, 1, None));

        let requests = meta.requests();
        assert_eq!(requests[0].path, "/v25.0/520744086200222/client_whatsapp_business_accounts");
        assert_eq!(requests[0].header("authorization"), Some(format!("Bearer {TOKEN}")));
        assert_eq!(requests[0].parameter("appsecret_proof"), Some(proof()));
        assert_eq!(requests[0].parameter("access_token"), None);
        assert_eq!(requests[0].parameter("fields").as_deref(), Some(FIELDS));
        assert_eq!(requests[0].parameter("limit").as_deref(), Some("100"));
        assert_eq!(requests[0].parameter("after"), None);
        assert_eq!(requests[1].parameter("after").as_deref(), Some("Q/+="));
    }

    #[tokio::test]
    async fn a_refused_field_is_left_out_from_then_on() {
        let refusal = json!({"error": {"code": 100, "message": "(#100) Tried accessing nonexisting field (marketing_messages_onboarding_status) on node type (WhatsAppBusinessAccount)"}});
        let page = || Reply::json(200, json!({"data": [{"id": "1"}]}));
        let meta = StandIn::start([Reply::json(400, refusal.clone()), page(), page(), Reply::json(400, refusal)]).await;
        let caller = meta.caller();
        caller.client_wabas(&partner(), None).await.unwrap();
        caller.owned_wabas(&partner(), None).await.unwrap();
        let asked: Vec<_> = meta.requests().iter().map(|request| request.parameter("fields").unwrap()).collect();
        assert_eq!(asked, [FIELDS, FEWER_FIELDS, FEWER_FIELDS]);
        // A refusal of these, too, is an error like any other.
        assert_eq!(caller.owned_wabas(&partner(), None).await.unwrap_err().code(), Some(100));
        assert_eq!(meta.calls().len(), 4);
    }
}
