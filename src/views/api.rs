//! The doors of this room: saving, changing and deleting a view. Anyone of the partner may: a view changes nothing but itself.

use leptos::prelude::*;

use super::{
    model::{LONGEST_NAME, LONGEST_QUERY, Place, lasting},
    store,
};
use crate::{
    graph,
    sign_in::{Problem, Role, Visit, finish},
    telemetry::mishap,
    ui::AppError,
};

/// Saves the list at `back` as `name`; `shared` with the partner or not.
#[server(prefix = "/views", endpoint = "save")]
pub async fn save(
    #[server(default)] back: String,
    #[server(default)] name: String,
    #[server(default)] shared: String,
) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(keep(&visit, &back, &name, &shared).await)
}

/// Another name for a view of one's own, shared or not.
#[server(prefix = "/views", endpoint = "change")]
pub async fn change(
    #[server(default)] view: String,
    #[server(default)] name: String,
    #[server(default)] shared: String,
) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(rename(&visit, &view, &name, &shared).await.map_err(to_views))
}

/// Deletes a view.
#[server(prefix = "/views", endpoint = "delete")]
pub async fn delete(#[server(default)] view: String) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(remove(&visit, &view).await.map_err(to_views))
}

/// The page on which views are changed.
const VIEWS: &str = "/views";

fn to_views(error: AppError) -> Problem {
    Problem { error, back_to: VIEWS.to_owned() }
}

async fn keep(visit: &Visit, back: &str, name: &str, shared: &str) -> Result<String, Problem> {
    // The page gave it, but whoever sends a form may send another.
    let back = &graph::redacted(back);
    let path = back.split('?').next().unwrap_or_default();
    let place: Place = path.parse().map_err(|_| to_views(AppError::NotFound))?;
    let problem = |error| Problem { error, back_to: back.to_owned() };
    let (name, query) = (read_name(name).map_err(problem)?, lasting(back));
    if query.len() > LONGEST_QUERY {
        return Err(problem(invalid("This search is too long to be saved.")));
    }
    let mut tx = visit.tenant().await.map_err(problem)?;
    let saved =
        store::save(&mut tx, visit.viewer.member_id, (place, &name, &query), !shared.is_empty(), visit.clock.now());
    if !saved.await.map_err(|error| problem(mishap(error)))? {
        return Err(problem(invalid("You have 50 views of this page. Delete one before you save another.")));
    }
    tx.commit().await.map_err(|error| problem(mishap(error)))?;
    Ok(back.to_owned())
}

async fn rename(visit: &Visit, view: &str, name: &str, shared: &str) -> Result<String, AppError> {
    let (id, name) = (read_id(view)?, read_name(name)?);
    let mut tx = visit.tenant().await?;
    let changed =
        store::change(&mut tx, visit.viewer.member_id, id, &name, !shared.is_empty(), visit.clock.now()).await;
    match changed {
        Ok(true) => {}
        Ok(false) => return Err(AppError::NotFound),
        Err(sqlx::Error::Database(refusal)) if refusal.is_unique_violation() => {
            return Err(invalid("You have a view of this name already."));
        }
        Err(error) => return Err(mishap(error)),
    }
    tx.commit().await.map_err(mishap)?;
    Ok(VIEWS.to_owned())
}

async fn remove(visit: &Visit, view: &str) -> Result<String, AppError> {
    let mut tx = visit.tenant().await?;
    let admin = visit.viewer.role == Role::Admin;
    if !store::delete(&mut tx, visit.viewer.member_id, admin, read_id(view)?).await.map_err(mishap)? {
        return Err(AppError::NotFound);
    }
    tx.commit().await.map_err(mishap)?;
    Ok(VIEWS.to_owned())
}

fn invalid(message: &str) -> AppError {
    AppError::Invalid { field: "name".to_owned(), message: message.to_owned() }
}

fn read_id(text: &str) -> Result<i64, AppError> {
    text.parse().map_err(|_| AppError::NotFound)
}

fn read_name(text: &str) -> Result<String, AppError> {
    let name = text.replace('\0', "\u{FFFD}").split_whitespace().collect::<Vec<_>>().join(" ");
    match name.chars().count() {
        0 => Err(invalid("A view needs a name.")),
        1..=LONGEST_NAME => Ok(name),
        _ => Err(invalid("The name is too long. It may have 60 characters.")),
    }
}

#[cfg(test)]
mod tests {
    use super::read_name;

    #[test]
    fn a_name_is_one_line_of_sixty_characters_at_most() {
        assert_eq!(read_name("  My \n failures\t").unwrap(), "My failures");
        assert_eq!(read_name(&"é".repeat(60)).unwrap().chars().count(), 60);
        for bad in ["", " \u{3000}", &"é".repeat(61)] {
            assert!(read_name(bad).is_err(), "{bad:?}");
        }
    }
}
