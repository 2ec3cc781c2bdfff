//! Each kind of node as JSON, with the fields of Graph facts 1.11, 2.2, 2.8, 2.9, 3.1, 3.4 and 4.11.

use serde_json::{Value, json};

use super::{
    clock::graph_time,
    error::GraphError,
    fields::{Field, pick, project},
    options::{OTHER_APP_ID, Quirk},
    shared::Shared,
    world::{Business, Holding, MmStatus, World},
};

const BUSINESS: [&str; 26] = [
    "id",
    "name",
    "created_time",
    "updated_time",
    "updated_by",
    "created_by",
    "link",
    "profile_picture_uri",
    "primary_page",
    "timezone_id",
    "two_factor_type",
    "verification_status",
    "vertical",
    "vertical_id",
    "marketing_messages_onboarding_status",
    "business_status",
    "whatsapp_business_manager_messaging_limit",
    "payment_account_id",
    "is_hidden",
    "block_offline_analytics",
    "extended_updated_time",
    "user_access_expire_time",
    "permitted_roles",
    "collaborative_ads_managed_partner_business_info",
    "collaborative_ads_managed_partner_eligibility",
    "collaborative_ads_partner_premium_options",
];

const WABA: [&str; 41] = [
    "id",
    "name",
    "account_review_status",
    "analytics",
    "audiences",
    "auth_international_rate_eligibility",
    "business_verification_status",
    "country",
    "creation_time",
    "currency",
    "dcc_config",
    "disable_marketing_messages_on_cloud_api",
    "health_status",
    "is_enabled_for_insights",
    "is_shared_with_partners",
    "linked_commerce_account",
    "marketing_messages_ad_account",
    "marketing_messages_lite_api_status",
    "marketing_messages_onboarding_status",
    "message_template_namespace",
    "message_templates",
    "on_behalf_of_business_info",
    "owner",
    "owner_business",
    "owner_business_info",
    "ownership_type",
    "phone_numbers",
    "primary_business_location",
    "primary_funding_id",
    "purchase_order_number",
    "schedules",
    "solutions",
    "status",
    "subscribed_apps",
    "timezone_id",
    "whatsapp_business_manager_messaging_limit",
    "template_analytics",
    "conversation_analytics",
    "service_pricing_policy",
    "template_auto_archival_enabled",
    "whatsapp_manager_marketing_messages_max_price_enroll_status",
];

const SOLUTION: [&str; 7] =
    ["id", "name", "status", "status_for_pending_request", "owner_app", "owner_permissions", "partners"];

const APP: [&str; 7] = ["id", "name", "namespace", "link", "category", "company", "app_type"];

/// The world as one call reads it: version and quirks in hand.
pub(super) struct View<'a> {
    pub world: &'a World,
    pub shared: &'a Shared,
    pub version: &'a str,
}

type Read = Result<Value, GraphError>;

impl View<'_> {
    fn cased(&self, text: &str) -> Value {
        if self.shared.has(Quirk::LowerCaseEnums) { text.to_ascii_lowercase().into() } else { text.into() }
    }

    fn mm_status(&self, business: &Business) -> Option<Value> {
        let status = business.status?;
        let mut value = json!({"status": self.cased(status.text())});
        if status != MmStatus::NotStarted {
            value["time"] = graph_time(business.status_at)[..10].into();
        }
        Some(value)
    }

    pub(super) fn business(&self, place: usize, wanted: &[Field]) -> Read {
        let business = &self.world.businesses[place];
        project("Business", &business.id.to_string(), &BUSINESS, wanted, &["name"], |name, field| {
            Ok(match name {
                "name" => Some(business.name.as_str().into()),
                "created_time" => Some(graph_time(business.created).into()),
                "updated_time" => Some(graph_time(business.status_at).into()),
                "verification_status" => Some(self.cased(if business.verified { "verified" } else { "not_verified" })),
                "business_status" => Some(self.cased("ACTIVE")),
                "vertical" => Some("OTHER".into()),
                "link" => Some(format!("https://business.facebook.com/latest/home?business_id={}", business.id).into()),
                "timezone_id" => Some(1.into()),
                "marketing_messages_onboarding_status" => self
                    .mm_status(business)
                    .map(|value| {
                        pick(value, "BusinessMarketingMessagesOnboardingStatus", &["status", "time"], &field.inside)
                    })
                    .transpose()?,
                _ => None,
            })
        })
    }

    pub(super) fn partner(&self, place: usize, wanted: &[Field], permitted: Option<&str>) -> Read {
        let partner = &self.world.partners[place];
        project("Business", &partner.id.to_string(), &BUSINESS, wanted, &["name"], |name, _| {
            Ok(match name {
                "name" => Some(partner.name.as_str().into()),
                "created_time" => Some("2019-03-04T09:00:00+0000".into()),
                "verification_status" => Some(self.cased("verified")),
                "business_status" => Some(self.cased("ACTIVE")),
                "marketing_messages_onboarding_status" => {
                    Some(json!({"status": self.cased("TERM_OF_SERVICE_SIGNED"), "time": "2025-04-01"}))
                }
                "permitted_roles" => permitted.map(|role| json!([role])),
                _ => None,
            })
        })
    }

    pub(super) fn waba(&self, place: usize, wanted: &[Field]) -> Read {
        let waba = &self.world.wabas[place];
        let defaults = ["name", "currency", "timezone_id", "message_template_namespace"];
        let client = waba.business().map(|business| &self.world.businesses[business]);
        let owner = match waba.holding {
            Holding::Shared { business, .. } => Owner::Business(&self.world.businesses[business]),
            Holding::OnBehalf { partner, .. } | Holding::Own { partner } => Owner::Partner(partner),
        };
        project("WhatsAppBusinessAccount", &waba.id.to_string(), &WABA, wanted, &defaults, |name, field| {
            Ok(match name {
                "name" => Some(waba.name.as_str().into()),
                "currency" => Some(waba.currency.into()),
                "country" => Some(waba.country.into()),
                "timezone_id" => Some(waba.timezone.to_string().into()),
                "creation_time" => Some(waba.created.unix_timestamp().into()),
                "message_template_namespace" => Some(format!("{:08x}_8a4f_49c4_b903_{:012x}", waba.id % 0xffff_ffff, waba.id).into()),
                "account_review_status" => Some(self.cased(if waba.reviewed { "APPROVED" } else { "PENDING" })),
                "business_verification_status" => {
                    client.map(|client| self.cased(if client.verified { "verified" } else { "not_verified" }))
                }
                "ownership_type" => Some(self.cased(match waba.holding {
                    Holding::Shared { .. } => "CLIENT_OWNED",
                    Holding::OnBehalf { .. } => "ON_BEHALF_OF",
                    Holding::Own { .. } => "SELF",
                })),
                "status" => Some(self.cased(if waba.eligibility == "INELIGIBLE_INACTIVE_OR_RESTRICTED" { "RESTRICTED" } else { "ACTIVE" })),
                "is_enabled_for_insights" => Some(true.into()),
                "is_shared_with_partners" => Some(matches!(waba.holding, Holding::Shared { .. }).into()),
                "marketing_messages_onboarding_status" => Some(self.cased(&waba.eligibility)),
                "marketing_messages_lite_api_status" if self.version != "v23.0" => {
                    return Err(GraphError::new(
                        12,
                        "(#12) marketing_messages_lite_api_status field is deprecated for versions v24.0 and higher",
                    ));
                }
                "marketing_messages_lite_api_status" => Some(self.cased(match waba.eligibility.as_str() {
                    "ONBOARDED" => "ONBOARDED",
                    "ELIGIBLE" => "ELIGIBLE",
                    _ => "INELIGIBLE",
                })),
                "owner_business_info" => {
                    let mut info = self.owner_info(&owner);
                    if let Owner::Business(business) = owner
                        && !self.shared.has(Quirk::NoNestedStatus)
                        && let Some(status) = self.mm_status(business)
                    {
                        info["marketing_messages_onboarding_status"] = status;
                    }
                    Some(pick(info, "WABAOwnerBusinessInfo", &["id", "name", "marketing_messages_onboarding_status"], &field.inside)?)
                }
                "owner_business" => Some(match waba.holding {
                    Holding::Shared { business, .. } => self.business(business, &field.inside)?,
                    Holding::OnBehalf { partner, .. } | Holding::Own { partner } => self.partner(partner, &field.inside, None)?,
                }),
                "on_behalf_of_business_info" if matches!(waba.holding, Holding::OnBehalf { .. }) => client
                    .map(|client| {
                        let info = json!({"id": client.id.to_string(), "name": client.name, "status": "APPROVED", "type": "CLIENT"});
                        pick(info, "WABAOnBehalfOfComputedInfo", &["id", "name", "status", "type"], &field.inside)
                    })
                    .transpose()?,
                "phone_numbers" => Some(json!({"data": [self.phone_number(place)]})),
                "message_templates" | "subscribed_apps" | "schedules" | "audiences" | "solutions" => Some(json!({"data": []})),
                _ => None,
            })
        })
    }

    pub(super) fn phone_number(&self, place: usize) -> Value {
        let waba = &self.world.wabas[place];
        json!({"id": (waba.id + 1).to_string(), "verified_name": waba.name, "quality_rating": "GREEN",
            "display_phone_number": format!("+1 555-{:03}-{:04}", waba.id % 900 + 100, waba.id % 10_000)})
    }

    fn owner_info(&self, owner: &Owner<'_>) -> Value {
        match owner {
            Owner::Business(business) => json!({"name": business.name, "id": business.id.to_string()}),
            Owner::Partner(place) => {
                let partner = &self.world.partners[*place];
                json!({"name": partner.name, "id": partner.id.to_string()})
            }
        }
    }

    pub(super) fn solution(&self, place: usize, wanted: &[Field]) -> Read {
        let solution = &self.world.solutions[place];
        let defaults = ["name", "status", "status_for_pending_request"];
        project("WhatsAppBusinessSolution", &solution.id.to_string(), &SOLUTION, wanted, &defaults, |name, field| {
            Ok(match name {
                "name" => Some(solution.name.as_str().into()),
                "status" => Some(self.cased(&solution.status)),
                "status_for_pending_request" => Some(self.cased(&solution.pending)),
                "owner_permissions" => Some(json!(["MANAGE", "DEVELOP", "MANAGE_TEMPLATES", "MESSAGING"])),
                "owner_app" => Some(app(&solution.owner_app, &field.inside)?),
                "partners" => {
                    let status = if matches!(solution.status.as_str(), "INITIATED" | "PENDING") {
                        "NOTIFICATION_SENT"
                    } else {
                        "ACCEPTED"
                    };
                    let rows = solution.partner_apps.iter().take(field.limit.unwrap_or(25)).map(|id| {
                        let row = json!({"partner_app": app(id, &[])?, "status": status, "partner_permissions": ["MESSAGING"],
                            "id": format!("{}{}", solution.id, &id[id.len().saturating_sub(2)..])});
                        pick(row, "WhatsAppBusinessSolutionPartner", &["partner_app", "status", "partner_permissions"], &field.inside)
                    });
                    Some(json!({"data": rows.collect::<Result<Vec<_>, _>>()?}))
                }
                _ => None,
            })
        })
    }

    pub(super) fn person(&self, place: usize, wanted: &[Field], with_email: bool) -> Read {
        let person = &self.world.people[place];
        let known = ["id", "name", "email", "first_name", "last_name", "client_business_id"];
        project("User", &person.id.to_string(), &known, wanted, &["name"], |name, _| {
            Ok(match name {
                "name" => Some(person.name.as_str().into()),
                "first_name" => person.name.split(' ').next().map(Value::from),
                "last_name" => person.name.split(' ').nth(1).map(Value::from),
                "email" if with_email => Some(email(&person.name, "example.com").into()),
                _ => None,
            })
        })
    }

    /// A system user, by the partner it belongs to.
    pub(super) fn system_user(&self, partner: usize, wanted: &[Field]) -> Read {
        let partner = &self.world.partners[partner];
        let id = (partner.id + 900).to_string();
        project("SystemUser", &id, &["id", "name", "client_business_id"], wanted, &["name"], |name, _| {
            Ok(match name {
                "name" => Some(format!("{} system user", partner.name).into()),
                "client_business_id" => Some(partner.id.to_string().into()),
                _ => None,
            })
        })
    }

    /// Someone of an end business; every business has one or two (facts 2.12).
    pub(super) fn business_user(&self, business: usize, number: usize, wanted: &[Field]) -> Read {
        let id = self.world.businesses[business].id + 100 + u64::try_from(number).unwrap_or(0);
        let (name, role) = if number == 0 { ("Sam Ortega", "ADMIN") } else { ("Noor Haddad", "EMPLOYEE") };
        self.portfolio_user(id, name, role, wanted)
    }

    pub(super) fn portfolio_user(&self, id: u64, user_name: &str, role: &str, wanted: &[Field]) -> Read {
        let known = ["id", "name", "email", "role", "business", "title", "first_name", "last_name", "pending_email"];
        project("BusinessUser", &id.to_string(), &known, wanted, &["name", "role"], |name, _| {
            Ok(match name {
                "name" => Some(user_name.into()),
                "email" => Some(email(user_name, "example.net").into()),
                "role" => Some(self.cased(role)),
                _ => None,
            })
        })
    }
}

/// An app; each name is fixed.
pub(super) fn app(id: &str, wanted: &[Field]) -> Read {
    let app_name = if id == OTHER_APP_ID { "Harbour Reach Platform" } else { "Liteboard" };
    project("Application", id, &APP, wanted, &["name", "link"], |name, _| {
        Ok(match name {
            "name" => Some(app_name.into()),
            "link" => Some(format!("https://www.facebook.com/games/?app_id={id}").into()),
            "category" => Some("Business and pages".into()),
            _ => None,
        })
    })
}

enum Owner<'a> {
    Business(&'a Business),
    Partner(usize),
}

fn email(name: &str, host: &str) -> String {
    let local: String = name.to_lowercase().chars().filter(|c| c.is_ascii_alphanumeric() || *c == ' ').collect();
    format!("{}@{host}", local.replace(' ', "."))
}

/// Turns text ids into JSON numbers, everywhere in an answer ([`Quirk::IdsAsNumbers`]).
pub(super) fn ids_to_numbers(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (name, inner) in object.iter_mut() {
                if name == "id" || name == "request_id" {
                    if let Some(number) = inner.as_str().and_then(|text| text.parse::<u64>().ok()) {
                        *inner = number.into();
                    }
                } else {
                    ids_to_numbers(inner);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(ids_to_numbers),
        _ => {}
    }
}
