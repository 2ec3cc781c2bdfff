//! The Graph API's table of routes: the token first, then the node or edge a call asks for.

use serde_json::{Value, json};

use super::{
    access::Viewer,
    call::Call,
    error::GraphError,
    fields::{self, Field},
    lists::WabaFilter,
    nodes::{View, app},
    operation::Operation,
    options::{OTHER_APP_ID, Quirk},
    shared::Shared,
    throttle::Usage,
    tokens::Holder,
    world::{Node, World},
};

pub(super) type Outcome = Result<Value, GraphError>;

impl Shared {
    pub(super) fn perform(&self, call: &Call, operation: Operation, usage: &mut Usage) -> Outcome {
        call.check_version()?;
        match operation {
            Operation::ExchangeCode | Operation::ExtendToken | Operation::AppToken => return self.exchange(call),
            Operation::DebugToken => return self.debug_token(call),
            Operation::RevokeToken => return self.revoke(call),
            Operation::Batch if call.is_post() => return self.batch(call),
            _ => {}
        }
        let parts = call.parts();
        // The SDKs report their own crashes here; nobody waits for an answer.
        if let [app, "instruments"] = parts.as_slice()
            && *app == self.options.app_id
        {
            return Ok(json!({"success": true}));
        }
        let viewer = self.authenticate(call)?;
        self.admit(call, operation, Some(&viewer), usage)?;
        if operation == Operation::ReadMany {
            return self.read_many(call, &viewer);
        }
        match parts.as_slice() {
            [] => Err(GraphError::new(2500, "Invalid request: no object was named")),
            ["me"] => self.me(call, &viewer),
            ["me", "permissions"] => self.permissions(call, &viewer, None),
            ["me", "permissions", scope] => self.permissions(call, &viewer, Some(scope)),
            ["me", edge] => self.my_edge(call, &viewer, edge),
            [id] if call.is_get() => self.node(call, &viewer, id),
            [id] => Err(GraphError::unsupported(&call.verb(), id)),
            [id, edge] => self.edge(call, &viewer, id, edge),
            [_, _, rest @ ..] => Err(GraphError::unknown_path(&rest.join("/"))),
        }
    }

    fn me(&self, call: &Call, viewer: &Viewer) -> Outcome {
        let wanted = wanted(call)?;
        let world = self.world();
        let view = self.view(&world, call);
        match viewer {
            Viewer::App => Err(GraphError::new(
                2500,
                "An active access token must be used to query information about the current user.",
            )),
            Viewer::User { holder: Holder::Person(place), scopes, .. } => {
                view.person(*place, &wanted, scopes.contains("email"))
            }
            Viewer::User { holder: Holder::System(partner), .. } => view.system_user(*partner, &wanted),
        }
    }

    fn my_edge(&self, call: &Call, viewer: &Viewer, edge: &str) -> Outcome {
        if edge != "businesses" {
            return Err(GraphError::unknown_path(edge));
        }
        viewer.require("business_management")?;
        let wanted = wanted(call)?;
        let world = self.world();
        let view = self.view(&world, call);
        let role = match viewer {
            Viewer::User { holder: Holder::Person(place), .. } => world.people[*place].portfolio_role,
            _ => "ADMIN",
        };
        self.page(call, viewer.partners(), |_| true, |place| view.partner(place, &wanted, Some(role)))
    }

    /// One node, if this viewer may see it; to everyone else it doesn't exist.
    fn node(&self, call: &Call, viewer: &Viewer, id: &str) -> Outcome {
        self.read(call, viewer, id, &wanted(call)?)
    }

    pub(super) fn read(&self, call: &Call, viewer: &Viewer, id: &str, wanted: &[Field]) -> Outcome {
        let world = self.world();
        let view = self.view(&world, call);
        let hidden = || GraphError::unsupported("get", id);
        if id == self.options.app_id {
            return app(id, wanted);
        }
        let partners = viewer.partners();
        match world.find(id).ok_or_else(hidden)? {
            Node::Partner(place) if partners.contains(&place) => {
                viewer.require("business_management")?;
                view.partner(place, wanted, None)
            }
            Node::Person(place) if matches!(viewer, Viewer::User { holder: Holder::Person(own), .. } if *own == place) => {
                view.person(place, wanted, false)
            }
            Node::Business(place) if partners.iter().any(|partner| world.serves(*partner, place)) => {
                viewer.require("business_management")?;
                view.business(place, wanted)
            }
            Node::Waba(place) if partners.iter().any(|partner| world.wabas[place].held_by(*partner)) => {
                viewer.require("whatsapp_business_management")?;
                view.waba(place, wanted)
            }
            Node::Solution(place)
                if world.solutions[place].owner_app == self.options.app_id
                    || world.solutions[place].partner_apps.contains(&self.options.app_id) =>
            {
                view.solution(place, wanted)
            }
            Node::Agreement(place)
                if self.has(Quirk::RequestReadable) && partners.contains(&world.agreements[place].partner) =>
            {
                let status = if world.agreements[place].accepted { "APPROVE" } else { "PENDING" };
                fields::project("BusinessAgreement", id, &["id", "request_status"], wanted, &[], |_, _| {
                    Ok(Some(status.into()))
                })
            }
            _ => Err(hidden()),
        }
    }

    fn edge(&self, call: &Call, viewer: &Viewer, id: &str, edge: &str) -> Outcome {
        let hidden = || GraphError::unsupported(&call.verb(), id);
        if edge == "onboard_partners_to_mm_lite" {
            return if call.is_post() { self.onboard(call, viewer, id) } else { Err(hidden()) };
        }
        let wanted = wanted(call)?;
        let world = self.world();
        let view = self.view(&world, call);
        let node = world.find(id);
        let partners = viewer.partners();
        match (node, edge) {
            (Some(Node::Waba(place)), _) if partners.iter().any(|partner| world.wabas[place].held_by(*partner)) => {
                viewer.require("whatsapp_business_management")?;
                match edge {
                    "phone_numbers" => Ok(json!({"data": [view.phone_number(place)]})),
                    "subscribed_apps" if call.is_get() => {
                        Ok(json!({"data": [{"whatsapp_business_api_data": app(&self.options.app_id, &[])?}]}))
                    }
                    "subscribed_apps" => Ok(json!({"success": true})),
                    "solutions" | "message_templates" => Ok(json!({"data": []})),
                    _ => Err(GraphError::unknown_path(edge)),
                }
            }
            _ if !call.is_get() => Err(hidden()),
            (Some(Node::Partner(place)), "client_whatsapp_business_accounts" | "owned_whatsapp_business_accounts")
                if partners.contains(&place) =>
            {
                viewer.require("whatsapp_business_management")?;
                let filter = WabaFilter::read(call)?;
                let partner = &world.partners[place];
                let places = if edge.starts_with("client") { &partner.client } else { &partner.owned };
                self.page(
                    call,
                    places,
                    |place| filter.keeps(&world, &world.wabas[place]),
                    |place| view.waba(place, &wanted),
                )
            }
            (Some(Node::Partner(place)), "business_users") if partners.contains(&place) => {
                viewer.require("business_management")?;
                let people: Vec<usize> =
                    (0..world.people.len()).filter(|person| world.people[*person].partners.contains(&place)).collect();
                self.page(
                    call,
                    &people,
                    |_| true,
                    |person| {
                        let person = &world.people[person];
                        view.portfolio_user(person.id + 500, &person.name, person.portfolio_role, &wanted)
                    },
                )
            }
            (Some(Node::Business(place)), "business_users")
                if partners.iter().any(|partner| world.serves(*partner, place)) =>
            {
                viewer.require("business_management")?;
                self.page(call, &[0, 1], |_| true, |number| view.business_user(place, number, &wanted))
            }
            (None, "whatsapp_business_solutions") if id == self.options.app_id => {
                if let Viewer::User { .. } = viewer {
                    viewer.require("whatsapp_business_management")?;
                }
                let role = call.params.get("role").map(str::to_ascii_uppercase);
                if role.as_deref().is_some_and(|role| !matches!(role, "OWNER" | "PARTNER")) {
                    return Err(GraphError::invalid("Param role must be one of {OWNER, PARTNER}"));
                }
                let solutions: Vec<usize> = (0..world.solutions.len()).collect();
                let has_role = |place: usize| {
                    let solution = &world.solutions[place];
                    let (owner, partner) =
                        (solution.owner_app == id, solution.partner_apps.iter().any(|app| app == id));
                    match role.as_deref() {
                        Some("OWNER") => owner,
                        Some("PARTNER") => partner,
                        _ => owner || partner,
                    }
                };
                self.page(call, &solutions, has_role, |place| view.solution(place, &wanted))
            }
            (None, "subscriptions") if id == self.options.app_id => self.subscriptions(viewer),
            (None, "connected_client_businesses") if id == self.options.app_id => {
                let first = partners.first().copied();
                let places = first.map_or(&[][..], |partner| &world.partners[partner].businesses);
                self.page(call, places, |_| true, |place| view.business(place, &wanted))
            }
            (Some(Node::Partner(place)), _) if partners.contains(&place) => Err(GraphError::unknown_path(edge)),
            (None, _) if id == self.options.app_id || id == OTHER_APP_ID => Err(GraphError::unknown_path(edge)),
            _ => Err(hidden()),
        }
    }

    /// Where webhooks go, to the app itself alone.
    fn subscriptions(&self, viewer: &Viewer) -> Outcome {
        if !matches!(viewer, Viewer::App) {
            return Err(GraphError::new(15, "This method must be called with an app access_token."));
        }
        let fields: Vec<Value> =
            ["account_update", "partner_solutions"].map(|name| json!({"name": name, "version": "v25.0"})).into();
        let kept = self.webhook().into_iter().map(|webhook| {
            json!({"object": "whatsapp_business_account", "callback_url": webhook.url, "active": true, "fields": fields})
        });
        Ok(json!({"data": kept.collect::<Vec<_>>()}))
    }

    fn view<'a>(&'a self, world: &'a World, call: &'a Call) -> View<'a> {
        View { world, shared: self, version: call.answering_version() }
    }
}

pub(super) fn wanted(call: &Call) -> Result<Vec<Field>, GraphError> {
    fields::parse(call.params.get("fields").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;

    use super::super::{
        options::{APP_ID, APP_SECRET, HARBOUR_REACH, NORTHLANE, OTHER_APP_ID, Options, Quirk, Webhook},
        seed::{FOREIGN_SOLUTION_ID, PEOPLE_IDS, SOLUTIONS},
        situation::Situation,
        testing::Meta,
        tokens::Ending,
    };

    #[test]
    fn what_is_anothers_looks_as_if_it_were_not_there() {
        let meta = Meta::small();
        let foreign = meta.shared.businesses_of(HARBOUR_REACH).unwrap().last().unwrap().clone();
        for id in [
            HARBOUR_REACH,
            &foreign.id,
            &foreign.wabas[0].id,
            FOREIGN_SOLUTION_ID,
            PEOPLE_IDS[3],
            "1",
            "abc",
            OTHER_APP_ID,
        ] {
            let reply = meta.get(&format!("/v25.0/{id}"));
            assert_eq!((reply.status, reply.code()), (400, (100, Some(33))), "{id}");
            assert!(
                reply.message().starts_with(&format!("Unsupported get request. Object with ID '{id}' does not exist"))
            );
        }
        let list = meta.get(&format!("/v25.0/{HARBOUR_REACH}/client_whatsapp_business_accounts"));
        assert_eq!(list.code(), (100, Some(33)));
    }

    #[test]
    fn webhooks_are_shown_to_the_app_alone() {
        let webhook = Webhook {
            url: "https://liteboard.example/webhooks/meta".into(),
            verify_token: "tell-me".into(),
            retry_after: Duration::from_secs(1),
        };
        let meta = Meta::new(Options { webhook: Some(webhook), ..Options::default() });
        let path = format!("/v25.0/{APP_ID}/subscriptions");
        assert_eq!(meta.get(&path).code().0, 15);
        let read = meta.get_as(&format!("{APP_ID}|{APP_SECRET}"), &path);
        assert_eq!(read.json["data"][0]["callback_url"], "https://liteboard.example/webhooks/meta");
        assert_eq!(read.json["data"][0]["fields"][0]["name"], "account_update");
        assert!(read.header("date").unwrap().ends_with(" GMT"));
    }

    #[test]
    fn one_status_has_two_shapes() {
        let meta = Meta::small();
        let business = meta.business(Situation::Signed);
        let field = "marketing_messages_onboarding_status";
        let read = meta.get(&format!("/v25.0/{business}?fields={field}"));
        assert_eq!(read.json[field]["status"], "TERM_OF_SERVICE_SIGNED");
        assert_eq!(read.json[field]["time"].as_str().unwrap().len(), 10);
        let waba = meta.shared.businesses_of(NORTHLANE).unwrap().into_iter().find(|b| b.id == business).unwrap().wabas
            [0]
        .id
        .clone();
        let read = meta.get(&format!("/v25.0/{waba}?fields={field},owner_business_info"));
        assert!(read.json[field].is_string());
        assert_eq!(read.json["owner_business_info"][field]["status"], "TERM_OF_SERVICE_SIGNED");
        meta.shared.set_quirk(Quirk::NoNestedStatus, true);
        assert!(
            meta.get(&format!("/v25.0/{waba}?fields=owner_business_info")).json["owner_business_info"][field].is_null()
        );
    }

    #[test]
    fn a_status_that_graph_does_not_give_is_absent() {
        let meta = Meta::small();
        let business = meta.business(Situation::StatusUnknown);
        let read = meta.get(&format!("/v25.0/{business}?fields=name,marketing_messages_onboarding_status"));
        assert_eq!(read.json.as_object().unwrap().len(), 2, "{}", read.json);
    }

    #[test]
    fn fields_are_honoured_with_braces_and_unknown_ones_refused() {
        let meta = Meta::small();
        let list = format!("/v25.0/{NORTHLANE}/client_whatsapp_business_accounts?limit=1&fields=");
        let row = meta.get(&format!("{list}id,owner_business_info{{name}}")).json["data"][0].clone();
        assert_eq!(row.as_object().unwrap().len(), 2);
        assert_eq!(row["owner_business_info"].as_object().unwrap().len(), 2, "name and id: {row}");
        assert_eq!(meta.get(&format!("{list}id,nothing")).code().0, 100);
        assert_eq!(meta.get(&format!("{list}owner_business_info{{nothing}}")).code().0, 100);
        assert_eq!(meta.get(&format!("{list}id}}")).code().0, 2500);
    }

    #[test]
    fn a_field_that_was_deprecated_answers_in_v23_only() {
        let meta = Meta::small();
        let list =
            format!("{NORTHLANE}/client_whatsapp_business_accounts?limit=1&fields=marketing_messages_lite_api_status");
        assert_eq!(meta.get(&format!("/v23.0/{list}")).status, 200);
        assert_eq!(meta.get(&format!("/v24.0/{list}")).code().0, 12);
    }

    #[test]
    fn the_owned_list_names_the_client_and_the_shared_one_the_owner() {
        let meta = Meta::small();
        let owned = meta.get(&format!("/v25.0/{NORTHLANE}/owned_whatsapp_business_accounts?limit=100&fields=owner_business_info,on_behalf_of_business_info"));
        let rows = owned.json["data"].as_array().unwrap();
        assert!(rows.iter().all(|row| row["owner_business_info"]["id"] == NORTHLANE));
        assert!(rows.iter().any(|row| row["on_behalf_of_business_info"]["id"].is_string()));
        assert!(rows.iter().any(|row| row["on_behalf_of_business_info"].is_null()), "the partner's own");
    }

    #[test]
    fn solutions_come_by_role_and_in_every_status() {
        let meta = Meta::small();
        let list = |role: &str| meta.get(&format!("/v25.0/{APP_ID}/whatsapp_business_solutions?limit=100{role}"));
        let all = list("");
        assert_eq!(all.ids().len(), SOLUTIONS.len());
        for status in ["ACTIVE", "DEACTIVATED", "DRAFT", "INITIATED", "REJECTED", "PENDING", "PENDING_DEACTIVATION"] {
            assert!(all.json["data"].as_array().unwrap().iter().any(|row| row["status"] == status), "{status}");
        }
        assert!(list("&role=OWNER").ids().len() + list("&role=PARTNER").ids().len() >= all.ids().len());
        assert_eq!(list("&role=BOSS").code().0, 100);
        let one = meta.get(&format!(
            "/v25.0/{}?fields=name,status,owner_permissions,partners{{partner_permissions,partner_app}}",
            SOLUTIONS[0].0
        ));
        assert_eq!(one.json["partners"]["data"][0]["partner_app"]["id"], OTHER_APP_ID);
    }

    #[test]
    fn permissions_never_granted_are_200_and_those_taken_away_10() {
        let meta = Meta::small();
        let poor = meta.shared.give_token(super::Holder::Person(0), &["public_profile"], None);
        let list = format!("/v25.0/{NORTHLANE}/client_whatsapp_business_accounts");
        let reply = meta.get_as(&poor, &list);
        assert_eq!((reply.status, reply.code()), (403, (200, Some(1_349_174))));
        meta.send(Method::DELETE, "/v25.0/me/permissions/whatsapp_business_management", "", "");
        let reply = meta.get(&list);
        assert_eq!((reply.status, reply.code().0), (403, 10));
    }

    #[test]
    fn tokens_that_ended_are_190_with_their_subcode_and_a_header() {
        let meta = Meta::small();
        assert_eq!(meta.send_as(None, Method::GET, "/v25.0/me", "", "").code().0, 104);
        assert_eq!(meta.get_as("EAAJforeign", "/v25.0/me").code(), (190, None));
        meta.shared.end_tokens_of(PEOPLE_IDS[0], Ending::Expired).unwrap();
        let reply = meta.get("/v25.0/me");
        assert_eq!((reply.status, reply.code()), (401, (190, Some(463))));
        assert!(reply.message().starts_with("Error validating access token: Session has expired on "));
        assert!(reply.header("www-authenticate").unwrap().starts_with("OAuth \"Facebook Platform\" \"invalid_token\""));
    }

    #[test]
    fn a_proof_is_checked_when_given_and_required_when_the_app_says_so() {
        let meta = Meta::small();
        let proof = super::super::opaque::hmac_hex(&meta.shared.options.app_secret, meta.token.as_bytes());
        assert_eq!(meta.get(&format!("/v25.0/me?appsecret_proof={proof}")).status, 200);
        assert_eq!(meta.get("/v25.0/me?appsecret_proof=00").code().0, 100);
        meta.shared.set_quirk(Quirk::ProofRequired, true);
        assert_eq!(meta.get("/v25.0/me").code().0, 100);
    }

    #[test]
    fn old_and_future_versions_are_refused_and_none_is_taken() {
        let meta = Meta::small();
        assert_eq!(meta.get("/v22.0/me").code().0, 2635);
        assert_eq!(meta.get("/v99.0/me").code().0, 2500);
        assert_eq!(meta.get("/me").header("facebook-api-version"), Some("v23.0"));
        assert_eq!(meta.get("/v26.0/me").header("facebook-api-version"), Some("v26.0"));
    }
}
