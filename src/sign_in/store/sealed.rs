//! Every sealed token of a partner, whether Graph still takes it or not.

use sqlx::Result;

use super::super::examine::Owner;
use crate::{db::TenantTx, vault::Sealed};

/// The tokens as they are kept, those of members who were removed included.
pub(in super::super) async fn list_sealed(tx: &mut TenantTx) -> Result<Vec<(Owner, Sealed)>> {
    let rows = sqlx::query!(
        r#"SELECT member_id, NULL::text AS system_user_id, sealed AS "sealed!", key_id AS "key_id!" FROM tokens
           UNION ALL SELECT NULL, system_user_id::text, sealed, key_id FROM system_user_tokens"#,
    )
    .fetch_all(&mut **tx)
    .await?;
    let kept = rows.into_iter().map(|row| {
        let owner = match row.member_id {
            Some(member_id) => Owner::Member(member_id),
            None => Owner::SystemUser(row.system_user_id.unwrap_or_default()),
        };
        (owner, Sealed { key_id: row.key_id, bytes: row.sealed })
    });
    Ok(kept.collect())
}
