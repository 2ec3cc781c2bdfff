//! The simulator's own page at `/`: what it was asked, the ledger, faults to choose and buttons to press.

use std::fmt::Write as _;

use super::{
    faults::Fault,
    html::{Page, escape},
    operation::Operation,
    options::Quirk,
    record::SHOWN,
    shared::Shared,
    situation::Situation,
    tokens::Ending,
};

impl Shared {
    pub(super) fn home(&self) -> String {
        let body = format!(
            "<h1>Graph simulator</h1><p>A stand-in for Meta's Graph API. App id <code>{}</code>. Nothing here leaves this machine.</p>{}{}{}{}{}",
            escape(&self.options.app_id),
            self.ledger_section(),
            self.actions_section(),
            self.faults_section(),
            self.examples_section(),
            self.calls_section(),
        );
        Page { title: "Graph simulator", body: &body }.to_html()
    }

    fn ledger_section(&self) -> String {
        let rows: Vec<Vec<String>> = self
            .ledger()
            .into_iter()
            .rev()
            .map(|entry| {
                vec![
                    entry.at,
                    entry.business_name,
                    entry.business_id,
                    entry.partner_id,
                    entry.request_id,
                    entry.solution_id.unwrap_or_default(),
                    entry.asked.to_string(),
                    if entry.accepted { "accepted" } else { "waits for an admin" }.to_owned(),
                ]
            })
            .collect();
        section(
            "Ledger",
            "No onboarding request was made yet.",
            &["At", "Business", "Business id", "Partner", "Request id", "Solution", "Asked", "State"],
            &rows,
        )
    }

    fn actions_section(&self) -> String {
        let people = options(self.people().into_iter().map(|person| (person.id, person.name)));
        let partners = options(self.partners().into_iter().map(|partner| (partner.id, partner.name)));
        let solutions = options(
            self.world()
                .solutions
                .iter()
                .map(|solution| (solution.id.to_string(), format!("{} ({})", solution.name, solution.status))),
        );
        let statuses = options(
            ["DEACTIVATED", "ACTIVE", "PENDING_DEACTIVATION", "INITIATED", "REJECTED", "DRAFT"]
                .map(|s| (s.to_owned(), s.to_owned())),
        );
        let endings = options(Ending::ALL.iter().map(|ending| (ending.name().to_owned(), ending.name().to_owned())));
        let quirks = options(Quirk::ALL.iter().map(|quirk| (quirk.name().to_owned(), quirk.name().to_owned())));
        let on = self.quirks().iter().map(|quirk| quirk.name()).collect::<Vec<_>>().join(", ");
        let mut html = "<h2>Make something happen</h2>".to_owned();
        html += &form("accept", "Accept for this business", &field("Business id", "business", "text", ""));
        html += &form("accept-all", "Accept all pending", "");
        html += &form(
            "revoke",
            "End this person's tokens",
            &(select("Person", "person", &people) + &select("How", "ending", &endings)),
        );
        html += &form(
            "leave",
            "Remove business from partner",
            &(field("Business id", "business", "text", "") + &select("Partner", "partner", &partners)),
        );
        html += &form(
            "solution",
            "Set solution status",
            &(select("Solution", "solution", &solutions) + &select("Status", "status", &statuses)),
        );
        html += &form(
            "eligibility",
            "Set eligibility",
            &(field("WABA id", "waba", "text", "")
                + &field("Value", "value", "text", "INELIGIBLE_INACTIVE_OR_RESTRICTED")),
        );
        html += &form("advance", "Move the clock", &field("Seconds", "seconds", "number", "3600"));
        html += &form(
            "quirk",
            "Set quirk",
            &(select("Quirk", "quirk", &quirks)
                + &select(
                    "On",
                    "on",
                    &options([("true", "on"), ("false", "off")].map(|(a, b)| (a.to_owned(), b.to_owned()))),
                )),
        );
        let _ = write!(html, "<p class=\"soft\">Quirks on: {}</p>", if on.is_empty() { "none" } else { &on });
        html
    }

    fn faults_section(&self) -> String {
        let operations =
            options(Operation::ALL.iter().map(|operation| (operation.name().to_owned(), operation.name().to_owned())));
        let kinds = options(Fault::ALL.iter().map(|fault| (fault.name().to_owned(), fault.name().to_owned())));
        let which = select("Calls", "operation", &operations) + &select("Fault", "fault", &kinds);
        let mut html = "<h2>Faults</h2>".to_owned();
        html += &form("fault", "Plan fault", &(which.clone() + &field("Times", "times", "number", "1")));
        html += &form("chance", "Set chance", &(which + &field("Probability (0 to 1)", "probability", "text", "0.1")));
        html += &form("faults/clear", "Clear all faults", "");
        let faults = self.faults();
        let mut rows: Vec<Vec<String>> = faults
            .planned()
            .iter()
            .map(|(operation, fault, left)| vec![operation.to_string(), fault.to_string(), format!("{left} to come")])
            .collect();
        rows.extend(faults.chances().iter().map(|chance| {
            vec![chance.operation.to_string(), chance.fault.to_string(), format!("{} of calls", chance.probability)]
        }));
        drop(faults);
        html + &section("", "No fault is planned.", &["Calls", "Fault", "When"], &rows)
    }

    fn examples_section(&self) -> String {
        let world = self.world();
        let rows: Vec<Vec<String>> = Situation::ALL
            .iter()
            .map(|situation| {
                let business = world.example(0, *situation).map(|place| &world.businesses[place]);
                vec![
                    situation.to_string(),
                    business.map_or_else(|| "none".to_owned(), |business| business.id.to_string()),
                    business.map(|business| business.name.chars().take(60).collect()).unwrap_or_default(),
                ]
            })
            .collect();
        drop(world);
        section("Businesses to try", "", &["Situation", "Business id", "Name"], &rows)
    }

    fn calls_section(&self) -> String {
        let rows: Vec<Vec<String>> = self
            .record()
            .last(SHOWN)
            .into_iter()
            .rev()
            .map(|call| {
                let params: Vec<String> = call.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let code = match (call.code, call.subcode) {
                    (Some(code), Some(subcode)) => format!("{code}/{subcode}"),
                    (Some(code), None) => code.to_string(),
                    _ => String::new(),
                };
                vec![
                    call.at,
                    format!("{} {}", call.method, call.path),
                    params.join(" "),
                    call.token.unwrap_or_default(),
                    call.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string()),
                    code,
                    call.fault.unwrap_or_default(),
                    call.fbtrace_id,
                ]
            })
            .collect();
        section(
            "What it was asked",
            "Nothing was asked yet.",
            &["At", "Call", "Parameters", "Token", "HTTP", "Code", "Fault", "fbtrace_id"],
            &rows,
        )
    }
}

fn section(title: &str, empty: &str, heads: &[&str], rows: &[Vec<String>]) -> String {
    let mut html = if title.is_empty() { String::new() } else { format!("<h2>{title}</h2>") };
    if rows.is_empty() {
        let _ = write!(html, "<p class=\"soft\">{empty}</p>");
        return html;
    }
    // A region that scrolls can be reached with the keyboard, and so has a name.
    let label = if title.is_empty() { "Faults to come" } else { title };
    let _ =
        write!(html, "<div class=\"table\" role=\"region\" tabindex=\"0\" aria-label=\"{label}\"><table><thead><tr>");
    for head in heads {
        let _ = write!(html, "<th scope=\"col\">{head}</th>");
    }
    html += "</tr></thead><tbody>";
    for row in rows {
        html += "<tr>";
        for cell in row {
            let _ = write!(html, "<td>{}</td>", escape(cell));
        }
        html += "</tr>";
    }
    html + "</tbody></table></div>"
}

fn form(action: &str, button: &str, fields: &str) -> String {
    format!(
        "<form class=\"row\" method=\"post\" action=\"/simulator/{action}\">{fields}<button>{button}</button></form>"
    )
}

fn field(label: &str, name: &str, kind: &str, value: &str) -> String {
    format!("<label>{label}<input name=\"{name}\" type=\"{kind}\" value=\"{}\" required></label>", escape(value))
}

fn select(label: &str, name: &str, options: &str) -> String {
    format!("<label>{label}<select name=\"{name}\">{options}</select></label>")
}

fn options(values: impl IntoIterator<Item = (String, String)>) -> String {
    values.into_iter().fold(String::new(), |html, (value, label)| {
        html + &format!("<option value=\"{}\">{}</option>", escape(&value), escape(&label))
    })
}
