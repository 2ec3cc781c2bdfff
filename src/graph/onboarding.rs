//! The call that asks an end business to join MM Lite (section 1).

use super::{
    call::Operation,
    client::Caller,
    error::{Error, Failure},
    ids::{BusinessId, MetaRequestId, SolutionId},
    request::Request,
    wire::id,
};

impl Caller {
    /// `POST /{business-id}/onboard_partners_to_mm_lite`, once. `business` is the end business, never the partner or a WABA.
    ///
    /// Meta e-mails all admins of that portfolio (4.6). A pending request of the same partner gives its id again (1.6). When
    /// the answer is lost the outcome is unknown ([`Error::may_have_reached_meta`]): read
    /// [`Caller::business_status`] before sending again (7.5).
    pub async fn onboard(&self, business: &BusinessId, solution: Option<&SolutionId>) -> Result<MetaRequestId, Error> {
        let edge = Some("onboard_partners_to_mm_lite");
        let request = Request::of_business(Operation::OnboardPartnersToMmLite, business, edge).with_solution(solution);
        // The reference's sample, {"new_request":{"value":{..}}}, is a map of examples and not an answer (1.2).
        self.call(request, |answer| id(answer, "request_id").ok_or(Failure::UnexpectedShape)).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{Advice, Cause, Kind, stand_in::*};
    use super::*;

    fn business() -> BusinessId {
        "2329417887457253".parse().unwrap()
    }

    async fn onboard(reply: Reply) -> Result<MetaRequestId, Error> {
        StandIn::start([reply]).await.caller().onboard(&business(), None).await
    }

    #[tokio::test]
    async fn the_call_is_made_as_documented() {
        let answer = || Reply::json(200, json!({"request_id": "893436979557695"}));
        let meta = StandIn::start([answer(), answer()]).await;
        let caller = meta.caller();
        let id = caller.onboard(&business(), Some(&"19702253086782".parse().unwrap())).await.unwrap();
        caller.onboard(&business(), None).await.unwrap();
        assert_eq!(id.as_str(), "893436979557695");

        let requests = meta.requests();
        assert_eq!(requests[0].method, "POST");
        assert_eq!(requests[0].path, "/v25.0/2329417887457253/onboard_partners_to_mm_lite");
        assert_eq!(requests[0].parameter("solution_id").as_deref(), Some("19702253086782"));
        assert_eq!(requests[0].parameter("appsecret_proof"), Some(proof()));
        assert_eq!(requests[0].header("authorization"), Some(format!("Bearer {TOKEN}")));
        assert_eq!(requests[0].header("content-type").as_deref(), Some("application/json"));
        assert!(requests[0].header("user-agent").unwrap().starts_with("Liteboard/"));
        assert_eq!(requests[0].body, "{}");
        assert_eq!(requests[1].parameter("solution_id"), None);
    }

    #[tokio::test]
    async fn a_request_id_may_be_a_number() {
        let id = onboard(Reply::json(200, json!({"request_id": 893_436_979_557_695_u64}))).await.unwrap();
        assert_eq!(id.as_str(), "893436979557695");
    }

    #[tokio::test]
    async fn an_answer_without_a_request_id_leaves_the_outcome_unknown() {
        for body in [
            json!({}),
            json!({"request_id": null}),
            json!({"request_id": "not digits"}),
            json!({"request_id": 8.5}),
            json!(["893436979557695"]),
            json!({"new_request": {"summary": "New", "value": {"request_id": "1234567890123456"}}}),
        ] {
            let error = onboard(Reply::json(200, body)).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Failed(Failure::UnexpectedShape));
            assert_eq!((error.cause(), error.advice()), (Cause::OutcomeUnknown, Advice::Retry));
            assert!(error.may_have_reached_meta());
        }
    }

    #[tokio::test]
    async fn a_200_that_holds_an_error_is_an_error() {
        let error =
            onboard(Reply::json(200, json!({"error": {"code": 1_752_041, "message": "(#1752041) Duplicate Request"}})));
        let error = error.await.unwrap_err();
        assert_eq!((error.cause(), error.advice()), (Cause::TakenByAnotherPartner, Advice::Stop));
        assert!(!error.may_have_reached_meta());
    }

    /// The reference's own examples, to the letter (1.4).
    #[tokio::test]
    async fn the_reference_s_examples_are_understood() {
        const TRACE: &str = "AXsgnV2Cm3ZMGF3dF_cfYIn";
        for (status, code, subcode, transient, cause, advice, body) in [
            (
                401,
                190,
                Some(463),
                None,
                Cause::TokenInvalid,
                Advice::SignInAgain,
                r#"{"error":{"message":"Invalid OAuth access token","type":"OAuthException","code":190,"error_subcode":463,"fbtrace_id":"AXsgnV2Cm3ZMGF3dF_cfYIn"}}"#,
            ),
            (
                404,
                803,
                None,
                None,
                Cause::NotFoundOrNoAccess,
                Advice::FixAccess,
                r#"{"error":{"message":"Business not found","type":"GraphMethodException","code":803,"fbtrace_id":"AXsgnV2Cm3ZMGF3dF_cfYIn"}}"#,
            ),
            (
                429,
                4,
                Some(2_446_079),
                Some(true),
                Cause::Throttled,
                Advice::Wait { until: None },
                r#"{"error":{"message":"Application request limit reached","type":"OAuthException","code":4,"error_subcode":2446079,"fbtrace_id":"AXsgnV2Cm3ZMGF3dF_cfYIn","is_transient":true}}"#,
            ),
            (
                500,
                2,
                None,
                Some(true),
                Cause::Temporary,
                Advice::Retry,
                r#"{"error":{"message":"An unexpected error occurred. Please retry your request","type":"GraphMethodException","code":2,"fbtrace_id":"AXsgnV2Cm3ZMGF3dF_cfYIn","is_transient":true}}"#,
            ),
            (
                403,
                200,
                Some(1_349_174),
                None,
                Cause::AccessDenied,
                Advice::FixAccess,
                r#"{"error":{"message":"Permission Denied","type":"OAuthException","code":200,"error_subcode":1349174,"fbtrace_id":"AXsgnV2Cm3ZMGF3dF_cfYIn","error_user_title":"Permission Denied","error_user_msg":"Your app doesn't have permission to access this resource"}}"#,
            ),
        ] {
            let error = onboard(Reply::raw(status, "application/json", body)).await.unwrap_err();
            let said: Value = serde_json::from_str(body).unwrap();
            let said = |name: &str| said["error"][name].as_str();
            assert_eq!(error.kind(), Kind::Refused);
            assert_eq!((error.http_status(), error.code(), error.subcode()), (Some(status), Some(code), subcode));
            assert_eq!((error.is_transient(), error.fbtrace_id()), (transient, Some(TRACE)));
            assert_eq!((error.message(), error.user_message()), (said("message"), said("error_user_msg")));
            assert_eq!(error.graph_error().unwrap().kind.as_deref(), said("type"));
            assert_eq!((error.cause(), error.advice()), (cause, advice));
            assert_eq!(error.call().body, body);
            assert!(!error.may_have_reached_meta());
        }
    }

    #[tokio::test]
    async fn an_error_is_displayed_as_one_sentence() {
        let body = json!({"error": {"message": "(#100) Invalid recipient type.", "code": 100, "error_subcode": 5, "fbtrace_id": "AbC"}});
        assert_eq!(
            onboard(Reply::json(400, body)).await.unwrap_err().to_string(),
            "Meta refused the call: (#100) Invalid recipient type (onboard_partners_to_mm_lite, code 100, subcode 5, HTTP 400, \
             fbtrace_id AbC)."
        );
        assert_eq!(
            onboard(Reply::raw(502, "text/html", "<html>").with("x-fb-trace-id", "XyZ")).await.unwrap_err().to_string(),
            "The call to Meta failed: the answer was an HTML page (onboard_partners_to_mm_lite, HTTP 502, fbtrace_id XyZ)."
        );
    }
}
