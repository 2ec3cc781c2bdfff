//! Several calls in one: `/?ids=a,b` and Graph's batches.

use serde_json::{Map, Value, json};

use super::{
    access::Viewer,
    call::Call,
    error::GraphError,
    graph::Delivery,
    params::Params,
    routes::{Outcome, wanted},
    shared::Shared,
};

/// Ids in one multi-id read, calls in one batch.
const MANY: usize = 50;

impl Shared {
    /// `/?ids=a,b`: an object from id to node; one that can't be read spoils all.
    pub(super) fn read_many(&self, call: &Call, viewer: &Viewer) -> Outcome {
        let ids: Vec<&str> =
            call.params.get("ids").unwrap_or_default().split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
        if ids.len() > MANY {
            return Err(GraphError::invalid(format_args!("Too many IDs. Maximum: {MANY}. Provided: {}.", ids.len())));
        }
        let wanted = wanted(call)?;
        let mut nodes = Map::new();
        for id in ids {
            let node = self.read(call, viewer, id, &wanted).map_err(|error| {
                if error.subcode == Some(33) {
                    GraphError::not_found(&format!("(#803) Some of the aliases you requested do not exist: {id}"))
                } else {
                    error
                }
            })?;
            nodes.insert(id.to_owned(), node);
        }
        Ok(nodes.into())
    }

    /// `POST /` with `batch`: each part is answered as if it had come alone.
    pub(super) fn batch(&self, call: &Call) -> Outcome {
        let parts: Vec<Value> = serde_json::from_str(call.params.get("batch").unwrap_or_default())
            .map_err(|_| GraphError::invalid("Param batch must be an array."))?;
        if parts.len() > MANY {
            return Err(GraphError::invalid(format_args!(
                "Too many requests in batch message. Maximum batch size is {MANY}"
            )));
        }
        let answers = parts.iter().map(|part| {
            let text = |name: &str| part[name].as_str().unwrap_or_default();
            let (path, query) = text("relative_url").split_once('?').unwrap_or((text("relative_url"), ""));
            let mut params =
                Params::read(query, "application/x-www-form-urlencoded", text("body").as_bytes()).unwrap_or_default();
            if let (None, Some(proof)) = (params.get("appsecret_proof"), call.params.get("appsecret_proof")) {
                params.set("appsecret_proof", proof);
            }
            let method = text("method").to_ascii_uppercase().parse().unwrap_or(http::Method::GET);
            let mut inner = Call::new(method, path, params, None, call.base.clone());
            inner.token = inner.token.or_else(|| call.token.clone());
            inner.version = inner.version.or_else(|| call.version.clone());
            if inner.path.is_empty() {
                inner.path.push("batch".to_owned());
            }
            let answer = self.answer(&inner);
            if answer.delivery != Delivery::Whole {
                return Value::Null;
            }
            let headers: Vec<Value> =
                answer.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
            json!({"code": answer.status, "headers": headers, "body": answer.body})
        });
        Ok(answers.collect::<Vec<_>>().into())
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::super::{options::NORTHLANE, situation::Situation, testing::Meta};

    #[test]
    fn many_ids_are_read_at_once_even_under_the_double_slash_of_the_python_sdk() {
        let meta = Meta::small();
        let (one, two) = (meta.business(Situation::Onboardable), meta.business(Situation::Signed));
        let reply = meta.get(&format!("/v26.0//?ids={one},{two}&fields=name"));
        assert_eq!(reply.json[&one]["id"], one.as_str());
        assert_eq!(reply.json[&two]["id"], two.as_str());
        assert_eq!(meta.get(&format!("/v26.0/?ids={one},5")).code().0, 803);
    }

    #[test]
    fn a_batch_is_answered_part_by_part_and_each_part_counts() {
        let meta = Meta::small();
        let business = meta.business(Situation::Onboardable);
        let batch = serde_json::json!([
            {"method": "GET", "relative_url": format!("{NORTHLANE}/client_whatsapp_business_accounts?limit=1")},
            {"method": "POST", "relative_url": format!("{business}/onboard_partners_to_mm_lite"), "body": "x=1"},
            {"method": "GET", "relative_url": "5"},
        ]);
        let form: String =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("batch", &batch.to_string()).finish();
        let reply = meta.send(Method::POST, "/v26.0/", "application/x-www-form-urlencoded", &form);
        let codes: Vec<u64> =
            reply.json.as_array().unwrap().iter().map(|part| part["code"].as_u64().unwrap()).collect();
        assert_eq!(codes, [200, 200, 400]);
        assert_eq!(meta.shared.ledger().len(), 1);
        assert_eq!(meta.shared.record().count(super::super::operation::Operation::Any), 4);
    }
}
