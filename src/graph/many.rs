//! Reading many nodes in one call, `GET /?ids=a,b` (the answer is an object from id to node), and one onboarding request by its id.
//!
//! Each id counts against the limits as a call of its own (7.8): what is saved is time. One id that can't be read spoils the whole
//! answer, so a caller that meets a refusal asks for fewer at once until it knows which.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    businesses::{BusinessStatus, ONBOARDING_STATUS},
    call::Operation,
    client::Caller,
    error::{Error, Failure},
    ids::{BusinessId, MetaRequestId, WabaId},
    request::Request,
    wire::upper,
};

/// The most ids that one call takes.
pub const MOST_IDS: usize = 50;

impl Caller {
    /// How far businesses are with the terms of service (4.11), up to [`MOST_IDS`] of them. One that Meta leaves out of its answer is
    /// left out here; one of which it says nothing has no status.
    pub async fn business_statuses(
        &self,
        businesses: &[BusinessId],
    ) -> Result<HashMap<BusinessId, BusinessStatus>, Error> {
        let read = |node: &Value| BusinessStatus::of(node).unwrap_or_default();
        self.many(Operation::ReadBusinessStatuses, businesses, read).await
    }

    /// The eligibility of WABAs as [`Waba::eligibility`](super::Waba::eligibility) has it, up to [`MOST_IDS`] of them.
    pub async fn waba_eligibilities(&self, wabas: &[WabaId]) -> Result<HashMap<WabaId, Option<String>>, Error> {
        self.many(Operation::ReadWabaEligibilities, wabas, |node| upper(node, ONBOARDING_STATUS)).await
    }

    /// `GET /{request-id}?fields=id,request_status`: what became of an onboarding request, in upper case (`PENDING`, `DECLINE`, ..).
    ///
    /// Only a hypothesis (1.12): no document says that these ids can be read, so a refusal says nothing of the request.
    pub async fn request_status(&self, request: &MetaRequestId) -> Result<Option<String>, Error> {
        let request =
            Request::of_node(Operation::ReadRequestStatus, request.as_str(), None).with("fields", "id,request_status");
        self.call(request, |node| match node {
            Value::Object(_) => Ok(upper(node, "request_status")),
            _ => Err(Failure::UnexpectedShape),
        })
        .await
    }

    async fn many<I, T>(&self, operation: Operation, ids: &[I], read: fn(&Value) -> T) -> Result<HashMap<I, T>, Error>
    where
        I: AsRef<str> + Clone + Eq + std::hash::Hash + Send + 'static,
        T: Send + 'static,
    {
        let list = ids.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(",");
        let request = Request::new(operation, [""]).with("ids", list).with("fields", ONBOARDING_STATUS);
        let ids = ids.to_vec();
        self.call(request, move |answer| {
            let nodes = answer.as_object().ok_or(Failure::UnexpectedShape)?;
            let asked =
                ids.into_iter().filter_map(|id| Some((nodes.get(id.as_ref()).filter(|node| node.is_object())?, id)));
            Ok(asked.map(|(node, id)| (id, read(node))).collect())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Cause, Failure, Kind, stand_in::*};
    use super::*;

    fn ids<T: std::str::FromStr>(ids: &[&str]) -> Vec<T>
    where
        T::Err: std::fmt::Debug,
    {
        ids.iter().map(|id| id.parse().unwrap()).collect()
    }

    #[tokio::test]
    async fn many_businesses_are_read_in_one_signed_call() {
        let meta = StandIn::start([Reply::json(
            200,
            json!({
                "11": {"id": "11", "marketing_messages_onboarding_status": {"status": "term_of_service_signed", "time": "2026-11-24"}},
                "22": {"id": "22"},
                "44": {"id": "44", "marketing_messages_onboarding_status": {"status": "REQUEST_SENT"}},
            }),
        )])
        .await;
        let read = meta.caller().business_statuses(&ids(&["11", "22", "33"])).await.unwrap();
        let expected = [
            ("11", BusinessStatus { status: Some("TERM_OF_SERVICE_SIGNED".into()), date: Some("2026-11-24".into()) }),
            ("22", BusinessStatus::default()),
        ];
        assert_eq!(read, expected.into_iter().map(|(id, status)| (id.parse().unwrap(), status)).collect());
        let request = &meta.requests()[0];
        assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/v25.0/"));
        assert_eq!(request.parameter("ids").as_deref(), Some("11,22,33"));
        assert_eq!(request.parameter("fields").as_deref(), Some("marketing_messages_onboarding_status"));
        assert_eq!(request.parameter("appsecret_proof"), Some(proof()));
    }

    #[tokio::test]
    async fn a_waba_says_in_a_word_where_it_stands_and_silence_is_unknown() {
        let meta = StandIn::start([Reply::json(
            200,
            json!({"1": {"id": "1", "marketing_messages_onboarding_status": "onboarded"}, "2": {"id": 2}, "3": null}),
        )])
        .await;
        let read = meta.caller().waba_eligibilities(&ids(&["1", "2", "3"])).await.unwrap();
        assert_eq!(
            read,
            [("1", Some("ONBOARDED".to_owned())), ("2", None)].map(|(id, word)| (id.parse().unwrap(), word)).into()
        );
    }

    #[tokio::test]
    async fn one_that_is_not_there_spoils_all() {
        let refusal =
            json!({"error": {"code": 803, "message": "(#803) Some of the aliases you requested do not exist: 5"}});
        let meta = StandIn::start([Reply::json(404, refusal), Reply::json(200, json!([]))]).await;
        let caller = meta.caller();
        let error = caller.business_statuses(&ids(&["1", "5"])).await.unwrap_err();
        assert_eq!(error.cause(), Cause::NotFoundOrNoAccess);
        let error = caller.business_statuses(&ids(&["1"])).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Failed(Failure::UnexpectedShape));
    }

    #[tokio::test]
    async fn a_request_may_be_readable_and_may_not() {
        let refusal = json!({"error": {"code": 100, "error_subcode": 33, "message": "Unsupported get request."}});
        let meta = StandIn::start([
            Reply::json(200, json!({"id": "893436979557695", "request_status": "decline"})),
            Reply::json(200, json!({"id": "893436979557695"})),
            Reply::json(400, refusal),
        ])
        .await;
        let (caller, id) = (meta.caller(), "893436979557695".parse().unwrap());
        assert_eq!(caller.request_status(&id).await.unwrap().as_deref(), Some("DECLINE"));
        assert_eq!(caller.request_status(&id).await.unwrap(), None);
        assert_eq!(caller.request_status(&id).await.unwrap_err().code(), Some(100));
        assert_eq!(meta.requests()[0].path, "/v25.0/893436979557695");
        assert_eq!(meta.requests()[0].parameter("fields").as_deref(), Some("id,request_status"));
    }
}
