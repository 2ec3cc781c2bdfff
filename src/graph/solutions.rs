//! The multi-partner solutions of the app (section 3).

use serde_json::Value;

use super::{
    call::Operation,
    client::Caller,
    error::Error,
    ids::SolutionId,
    paging::{self, Cursor, Page},
    request::Request,
    wire::{id, text, upper},
};

/// The app's part in a solution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SolutionRole {
    /// It made the solution.
    Owner,
    /// It was invited to it.
    Partner,
}

impl SolutionRole {
    /// Both roles.
    pub const ALL: [Self; 2] = [Self::Owner, Self::Partner];

    /// As Graph writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "OWNER",
            Self::Partner => "PARTNER",
        }
    }
}

/// A multi-partner solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// Its id.
    pub id: SolutionId,
    /// Its name; empty if Meta gave none.
    pub name: String,
    /// `ACTIVE`, `DEACTIVATED`, `DRAFT`, .. in upper case (3.2), whichever value Meta sends.
    pub status: Option<String>,
    /// `status_for_pending_request`: `NONE`, `PENDING_ACTIVATION` or `PENDING_DEACTIVATION`, in upper case.
    pub pending: Option<String>,
}

impl Caller {
    /// One page of `GET /{app-id}/whatsapp_business_solutions`, of the app in the settings (3.1).
    pub async fn solutions(&self, role: SolutionRole, after: Option<&Cursor>) -> Result<Page<Solution>, Error> {
        let app = &self.graph().settings().app_id;
        let request = Request::of_node(Operation::ListSolutions, app.as_str(), Some("whatsapp_business_solutions"))
            .with("role", role.as_str())
            .with("fields", "id,name,status,status_for_pending_request");
        self.call(paging::of_page(request, after), paging::reader(after, solution)).await
    }
}

fn solution(row: &Value) -> Option<Solution> {
    Some(Solution {
        id: id(row, "id")?,
        name: text(row, "name").unwrap_or_default(),
        status: upper(row, "status"),
        pending: upper(row, "status_for_pending_request"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn meta_s_own_example_is_read() {
        let row = json!({"name": "Social OVD with Lucky Shrub", "status": "INITIATED",
                         "status_for_pending_request": "PENDING_ACTIVATION", "id": "19702253086782"});
        let expected = Solution {
            id: "19702253086782".parse().unwrap(),
            name: "Social OVD with Lucky Shrub".into(),
            status: Some("INITIATED".into()),
            pending: Some("PENDING_ACTIVATION".into()),
        };
        assert_eq!(solution(&row), Some(expected));
    }
}
