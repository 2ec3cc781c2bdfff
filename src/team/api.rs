//! The doors of the team and of a partner's settings: admins only, but for one's own sessions. Plain forms that end in a redirect;
//! each deed is in the audit log.

use leptos::prelude::*;

use super::{
    model::{Change, Member},
    settings::{self, Typed},
    store,
};
use crate::{
    db::TenantTx,
    reconcile,
    sign_in::{
        self, Act, Entry, PartnerSettings, Problem, Role, SessionEnd, Visit, audit, finish, partner_settings,
        save_partner_settings,
    },
    telemetry::mishap,
    ui::{AppError, plural},
};

/// The page that tells what became of a form.
const PAGE: &str = "/settings";

/// Gives a member a role. It holds from their next request on.
#[server(prefix = "/settings", endpoint = "change-role")]
pub async fn change_role(#[server(default)] member: String, #[server(default)] role: String) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(give_role(&visit, &member, &role).await)
}

/// Takes a member off the team: they're out at once, and what they started goes on.
#[server(prefix = "/settings", endpoint = "remove-member")]
pub async fn remove_member(#[server(default)] member: String) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(remove(&visit, &member).await)
}

/// Lets one in again who was removed, as support.
#[server(prefix = "/settings", endpoint = "let-back-in")]
pub async fn let_back_in(#[server(default)] member: String) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(readmit(&visit, &member).await)
}

/// Ends one session of a member. Without a member it's one's own.
#[server(prefix = "/settings", endpoint = "end-session")]
pub async fn end_session(
    #[server(default)] member: String,
    #[server(default)] session: String,
) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(end_one(&visit, &member, &session).await)
}

/// Ends all sessions of a member but the one that asks.
#[server(prefix = "/settings", endpoint = "end-sessions")]
pub async fn end_sessions(#[server(default)] member: String) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(end_all(&visit, &member).await)
}

/// Keeps what the partner decides for itself. A box that isn't ticked isn't sent; `seen` is what the page showed, so that only what was
/// changed on it is changed.
#[server(prefix = "/settings", endpoint = "save")]
pub async fn save_settings(
    #[server(default)] kind: String,
    #[server(default)] stalled_days: String,
    #[server(default)] raw_body_days: String,
    #[server(default)] probe: String,
    #[server(default)] seen: String,
) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    let typed = Typed { kind, stalled_days, raw_body_days, probe, seen };
    finish(save(&visit, &typed).await)
}

fn back(error: AppError) -> Problem {
    Problem { error, back_to: PAGE.to_owned() }
}

fn failed(error: sqlx::Error) -> Problem {
    back(mishap(error))
}

fn admins_only(visit: &Visit) -> Result<(), Problem> {
    if visit.viewer.role == Role::Admin { Ok(()) } else { Err(back(AppError::Forbidden)) }
}

/// A transaction in which the viewer is an admin, and nobody else changes the team or the settings.
async fn admins_tx(visit: &Visit) -> Result<TenantTx, Problem> {
    let mut tx = visit.tenant().await.map_err(back)?;
    if sign_in::hold_as_admin(&mut tx, visit.viewer.member_id).await.map_err(failed)? {
        Ok(tx)
    } else {
        Err(back(AppError::Forbidden))
    }
}

fn id_of(text: &str) -> Result<i64, Problem> {
    text.trim().parse().map_err(|_| back(AppError::NotFound))
}

async fn give_role(visit: &Visit, member: &str, role: &str) -> Result<String, Problem> {
    admins_only(visit)?;
    let id = id_of(member)?;
    let Ok(role) = role.parse::<Role>() else {
        let message = "Choose one of the roles.".to_owned();
        return Err(back(AppError::Invalid { field: "role".to_owned(), message }));
    };
    let mut tx = admins_tx(visit).await?;
    let change = store::change_role(&mut tx, id, role).await.map_err(failed)?;
    let told = |before: &Member| {
        visit.entry(Act::RoleChanged, format!("{}: {} to {}", before.name, before.role.word(), role.word()))
    };
    settle(tx, change, told).await?;
    Ok(format!("{PAGE}?notice=role"))
}

async fn remove(visit: &Visit, member: &str) -> Result<String, Problem> {
    admins_only(visit)?;
    let id = id_of(member)?;
    let mut tx = admins_tx(visit).await?;
    let change = store::remove_member(&mut tx, id, visit.clock.now()).await.map_err(failed)?;
    let told = |before: &Member| visit.entry(Act::MemberRemoved, format!("{}, {}", before.name, before.role.word()));
    if let Some(tx) = settled(tx, change, told).await? {
        // They're out already. This tells their browsers why, and is for the day they're let back in: none of before shall be.
        let mut tx = tx.leave().await.map_err(failed)?;
        sign_in::end_sessions(&mut tx, id, None, SessionEnd::Removed, visit.clock.now()).await.map_err(failed)?;
        tx.commit().await.map_err(failed)?;
    }
    Ok(format!("{PAGE}?notice=removed_member"))
}

async fn readmit(visit: &Visit, member: &str) -> Result<String, Problem> {
    admins_only(visit)?;
    let id = id_of(member)?;
    let mut tx = admins_tx(visit).await?;
    let change = store::let_back_in(&mut tx, id).await.map_err(failed)?;
    settle(tx, change, |before| visit.entry(Act::MemberReadmitted, before.name.as_str())).await?;
    Ok(format!("{PAGE}?notice=let_back_in"))
}

/// Writes a change down and makes it last.
async fn settle(tx: TenantTx, change: Change, entry: impl Fn(&Member) -> Entry) -> Result<(), Problem> {
    match settled(tx, change, entry).await? {
        Some(tx) => tx.commit().await.map_err(failed),
        None => Ok(()),
    }
}

/// Writes a change down; the transaction is to be committed. `None`: there was none.
async fn settled(
    mut tx: TenantTx,
    change: Change,
    entry: impl Fn(&Member) -> Entry,
) -> Result<Option<TenantTx>, Problem> {
    let before = match change {
        Change::Done(before) => before,
        Change::Same => return Ok(None),
        Change::Unknown => return Err(back(AppError::NotFound)),
        Change::LastAdmin => {
            let message = "The last admin stays one. Make somebody else an admin first.".to_owned();
            return Err(Problem {
                error: AppError::Invalid { field: "role".to_owned(), message },
                back_to: format!("{PAGE}?problem=last_admin"),
            });
        }
    };
    audit(&mut tx, &entry(&before)).await.map_err(failed)?;
    // With whose token requests are sent may have changed.
    let partner = tx.partner().clone();
    reconcile::wake(&mut tx, "dispatch", &partner).await.map_err(failed)?;
    Ok(Some(tx))
}

/// Whose sessions are to be ended, and the page that shows them.
struct Target {
    id: i64,
    is_self: bool,
    name: String,
    page: String,
}

impl Target {
    /// Nobody but an admin ends a colleague's.
    async fn find(visit: &Visit, tx: &mut TenantTx, member: &str) -> Result<Self, Problem> {
        let viewer = &visit.viewer;
        let id = if member.trim().is_empty() { viewer.member_id } else { id_of(member)? };
        if id == viewer.member_id {
            return Ok(Self { id, is_self: true, name: viewer.name.clone(), page: PAGE.to_owned() });
        }
        if !sign_in::hold_as_admin(tx, viewer.member_id).await.map_err(failed)? {
            return Err(back(AppError::Forbidden));
        }
        let found = store::find_member(tx, id).await.map_err(failed)?.ok_or_else(|| back(AppError::NotFound))?;
        Ok(Self { id, is_self: false, name: found.name, page: format!("{PAGE}/members/{id}") })
    }

    /// What the browsers are told.
    const fn end(&self) -> SessionEnd {
        if self.is_self { SessionEnd::BySelf } else { SessionEnd::ByAdmin }
    }

    fn entry(&self, visit: &Visit, what: &str) -> Entry {
        let whose = if self.is_self { "Own".to_owned() } else { format!("Of {}", self.name) };
        visit.entry(Act::SessionEnded, format!("{whose}: {what}"))
    }
}

async fn end_one(visit: &Visit, member: &str, session: &str) -> Result<String, Problem> {
    let mut tx = visit.tenant().await.map_err(back)?;
    let target = Target::find(visit, &mut tx, member).await?;
    let number = id_of(session)?;
    let mut tx = tx.leave().await.map_err(failed)?;
    let now = visit.clock.now();
    let ended = sign_in::end_session(&mut tx, target.id, number, target.end(), now).await.map_err(failed)?;
    // One that has ended meanwhile is as good as ended, but another's isn't to be told from none.
    let ended = ended.ok_or_else(|| Problem { error: AppError::NotFound, back_to: target.page.clone() })?;
    let device = ended.whence.device().unwrap_or_else(|| "an unknown browser".to_owned());
    let mut tx = TenantTx::enter(tx, &visit.viewer.partner).await.map_err(failed)?;
    audit(&mut tx, &target.entry(visit, &device)).await.map_err(failed)?;
    tx.commit().await.map_err(failed)?;
    Ok(format!("{}?notice=session_ended", target.page))
}

async fn end_all(visit: &Visit, member: &str) -> Result<String, Problem> {
    let mut tx = visit.tenant().await.map_err(back)?;
    let target = Target::find(visit, &mut tx, member).await?;
    let spared = if target.is_self { visit.session() } else { None };
    let mut tx = tx.leave().await.map_err(failed)?;
    let now = visit.clock.now();
    let ended = sign_in::end_sessions(&mut tx, target.id, spared.as_ref(), target.end(), now).await.map_err(failed)?;
    if ended > 0 {
        let what = plural(ended, "session", "sessions");
        let mut tx = TenantTx::enter(tx, &visit.viewer.partner).await.map_err(failed)?;
        audit(&mut tx, &target.entry(visit, &what)).await.map_err(failed)?;
        tx.commit().await.map_err(failed)?;
    }
    Ok(format!("{}?notice=sessions_ended", target.page))
}

async fn save(visit: &Visit, typed: &Typed) -> Result<String, Problem> {
    admins_only(visit)?;
    let wanted = settings::read(typed).map_err(|flaw| Problem {
        error: AppError::Invalid { field: flaw.field().to_owned(), message: flaw.text().to_owned() },
        back_to: format!("{PAGE}?problem={}", flaw.code()),
    })?;
    let mut tx = admins_tx(visit).await?;
    let before: PartnerSettings = partner_settings(&mut tx).await.map_err(failed)?;
    let after = settings::merged(&before, settings::seen(&typed.seen).as_ref(), &wanted);
    let changes = settings::changes(&before, &after);
    if !changes.is_empty() {
        save_partner_settings(&mut tx, &after).await.map_err(failed)?;
        audit(&mut tx, &visit.entry(Act::SettingChanged, changes.join("; "))).await.map_err(failed)?;
        tx.commit().await.map_err(failed)?;
    }
    Ok(format!("{PAGE}?notice=saved"))
}
