//! What Meta's webhooks are subscribed to, asked with the app's own token.

use secrecy::ExposeSecret;
use serde_json::Value;

use super::{
    call::{Operation, Origin},
    client::Graph,
    error::{Error, Failure},
    request::Request,
    wire::{rows, text},
};

/// One kind of object that Meta tells the app about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    /// `whatsapp_business_account`, `page`, ..
    pub object: String,
    /// Where Meta sends to.
    pub callback_url: Option<String>,
    /// Whether it sends at all. Only a plain no counts as none.
    pub active: bool,
    /// The fields it tells of, such as `account_update`.
    pub fields: Vec<String>,
}

impl Graph {
    /// `GET /{app-id}/subscriptions`, which Meta answers to the app's own token alone.
    pub async fn subscriptions(&self, origin: &Origin) -> Result<Vec<Subscription>, Error> {
        let settings = self.settings();
        let app_token = format!("{}|{}", settings.app_id, settings.app_secret.expose_secret());
        let request = Request::of_node(Operation::ListSubscriptions, settings.app_id.as_str(), Some("subscriptions"))
            .with_secret("access_token", app_token.into());
        self.exchange(origin.clone(), request, subscriptions).await
    }
}

fn subscriptions(answer: &Value) -> Result<Vec<Subscription>, Failure> {
    let rows = answer.get("data").and_then(rows).ok_or(Failure::UnexpectedShape)?;
    Ok(rows.into_iter().filter_map(subscription).collect())
}

fn subscription(row: &Value) -> Option<Subscription> {
    let fields = row.get("fields").and_then(rows).unwrap_or_default();
    // Older versions name a field plainly, newer ones with its version.
    let name = |field: &Value| field.as_str().map(str::to_owned).or_else(|| text(field, "name"));
    Some(Subscription {
        object: text(row, "object")?,
        callback_url: text(row, "callback_url"),
        active: row.get("active").and_then(Value::as_bool) != Some(false),
        fields: fields.into_iter().filter_map(name).collect(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::stand_in::*, *};

    #[test]
    fn fields_are_read_in_both_shapes() {
        let read = subscriptions(&json!({"data": [
            {"object": "whatsapp_business_account", "callback_url": "https://a.example/webhooks/meta", "active": true,
             "fields": [{"name": "account_update", "version": "v25.0"}, "partner_solutions", {}]},
            {"object": "page", "active": false},
            {"active": true},
        ]}))
        .unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].active, read[0].fields.len()), (true, 2));
        assert_eq!(read[0].fields, ["account_update", "partner_solutions"]);
        assert_eq!((read[1].active, read[1].callback_url.as_deref()), (false, None));
        assert!(subscriptions(&json!({"success": true})).is_err());
    }

    #[tokio::test]
    async fn the_app_asks_for_itself_and_its_secret_is_not_seen() {
        let meta = StandIn::start([Reply::json(200, json!({"data": []}))]).await;
        assert!(meta.graph().subscriptions(&Origin::default()).await.unwrap().is_empty());
        let call = &meta.calls()[0];
        assert!(call.path.ends_with("/subscriptions") && call.query == "access_token=[redacted]", "{}", call.query);
    }
}
