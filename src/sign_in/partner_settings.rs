//! What a partner decides for itself, with what holds while it hasn't decided. The settings page writes it, any room reads it.

use sqlx::Result;

use crate::db::TenantTx;

/// What a partner is to Meta.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartnerKind {
    /// A solution partner (BSP): has a line of credit at Meta.
    #[default]
    SolutionPartner,
    /// A tech provider (TP): its clients pay Meta themselves.
    TechProvider,
}

impl PartnerKind {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::SolutionPartner, Self::TechProvider];

    /// As the database and forms spell it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::SolutionPartner => "solution_partner",
            Self::TechProvider => "tech_provider",
        }
    }

    /// What a page says.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SolutionPartner => "Solution partner (BSP)",
            Self::TechProvider => "Tech provider (TP)",
        }
    }

    /// Reads what [`PartnerKind::key`] wrote.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }
}

/// The settings of a partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartnerSettings {
    /// What it is to Meta.
    pub kind: PartnerKind,
    /// After so many days without an answer of the client's admins a request is called stalled: 1 to 90.
    pub stalled_days: i32,
    /// For so many days what Meta answered, and told by webhook, is kept word for word: 1 to 3,650.
    pub raw_body_days: i32,
    /// Whether Meta is asked for a request by its id as well (1.12), which it may refuse.
    pub probe_request_ids: bool,
}

impl Default for PartnerSettings {
    fn default() -> Self {
        Self { kind: PartnerKind::default(), stalled_days: 7, raw_body_days: 400, probe_request_ids: false }
    }
}

impl PartnerSettings {
    /// How long the client's admins may let a request lie before someone should ask.
    pub fn stalled_after(&self) -> time::Duration {
        time::Duration::days(self.stalled_days.into())
    }
}

/// The settings of the transaction's partner: what it decided, else the defaults.
///
/// # Errors
/// When Postgres is gone.
pub async fn partner_settings(tx: &mut TenantTx) -> Result<PartnerSettings> {
    let row = sqlx::query!(
        "SELECT partner_kind, stalled_days, raw_body_days, probe_request_ids FROM partner_settings WHERE partner_id = current_partner()",
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map_or_else(PartnerSettings::default, |row| PartnerSettings {
        // A kind this program doesn't know, written by a newer one, sends as every kind does.
        kind: PartnerKind::from_key(&row.partner_kind).unwrap_or_default(),
        stalled_days: row.stalled_days,
        raw_body_days: row.raw_body_days,
        probe_request_ids: row.probe_request_ids,
    }))
}

/// Keeps what the partner decided.
///
/// # Errors
/// When Postgres is gone, or a number is out of its range.
pub async fn save_partner_settings(tx: &mut TenantTx, settings: &PartnerSettings) -> Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "INSERT INTO partner_settings (partner_id, partner_kind, stalled_days, raw_body_days, probe_request_ids)
         VALUES ($1::text, $2, $3, $4, $5)
         ON CONFLICT (partner_id) DO UPDATE SET partner_kind = EXCLUDED.partner_kind, stalled_days = EXCLUDED.stalled_days,
             raw_body_days = EXCLUDED.raw_body_days, probe_request_ids = EXCLUDED.probe_request_ids",
        partner.as_str(),
        settings.kind.key(),
        settings.stalled_days,
        settings.raw_body_days,
        settings.probe_request_ids,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use sqlx::PgPool;

    use super::*;
    use crate::db::{Db, PartnerId};

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn the_defaults_hold_until_a_partner_decides_for_itself_alone(pool: PgPool) {
        let db = Db::from_pool(pool);
        let (one, other): (PartnerId, PartnerId) =
            ("102000000000001".parse().unwrap(), "102000000000002".parse().unwrap());
        let mut tx = db.tenant(&one).await.unwrap();
        assert_eq!(partner_settings(&mut tx).await.unwrap(), PartnerSettings::default());
        let decided = PartnerSettings {
            kind: PartnerKind::TechProvider,
            stalled_days: 14,
            raw_body_days: 90,
            probe_request_ids: true,
        };
        for settings in [PartnerSettings { stalled_days: 3, ..PartnerSettings::default() }, decided] {
            save_partner_settings(&mut tx, &settings).await.unwrap();
            assert_eq!(partner_settings(&mut tx).await.unwrap(), settings);
        }
        tx.commit().await.unwrap();
        let mut tx = db.tenant(&other).await.unwrap();
        assert_eq!(partner_settings(&mut tx).await.unwrap(), PartnerSettings::default());
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn the_database_has_the_same_defaults(pool: PgPool) {
        let db = Db::from_pool(pool);
        let mut tx = db.tenant(&"102000000000001".parse().unwrap()).await.unwrap();
        sqlx::query!("INSERT INTO partner_settings (partner_id) VALUES (current_partner())")
            .execute(&mut *tx)
            .await
            .unwrap();
        assert_eq!(partner_settings(&mut tx).await.unwrap(), PartnerSettings::default());
    }
}
