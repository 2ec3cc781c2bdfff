//! The routes that are no forms of a page: a list coming in, and the CSV of problem rows going out.
//!
//! A list is read as it arrives and its rows written in pieces, each in a transaction of its own: a slow upload holds no connection.
//! Until it's read to its end and checked, the draft isn't there for anybody.

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRequest, Multipart, Path, Request, State, multipart::Field},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderValue, header};

use super::{
    model::{DraftNumber, Source},
    problems::problem_rows,
    reader::{Reader, Refusal, Row},
    store,
};
use crate::{
    clock::Clock,
    db::Db,
    sign_in::{Act, Problem, Visit, audit, refuse_request, respond},
    telemetry::mishap,
    ui::AppError,
};

/// The most of an upload that is looked at. The reader refuses far less; the rest is read so that the browser hears why.
const LONGEST_UPLOAD: usize = 64 * 1024 * 1024;

/// Rows written at once.
const PIECE: usize = 5_000;

/// What these routes need.
#[derive(Clone)]
struct Needs {
    db: Db,
    clock: Clock,
}

/// These routes, ready to be merged into the application's.
pub fn draft_routes<S: Clone + Send + Sync + 'static>(db: Db, clock: Clock) -> Router<S> {
    Router::new()
        .route("/import", post(import).layer(DefaultBodyLimit::max(LONGEST_UPLOAD)))
        .route("/drafts/{number}/problems.csv", get(problems))
        .with_state(Needs { db, clock })
}

/// `POST /import`: a form with `file`, or `ids` as text. Ends on the draft's rows.
async fn import(State(needs): State<Needs>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let visit = match Visit::of_request(&parts, needs.db, needs.clock) {
        Ok(visit) => visit,
        Err(error) => return refuse_request(&parts, &error),
    };
    let taken = take(&visit, Request::from_parts(parts.clone(), body)).await;
    let ended = match taken {
        Ok(number) => Ok(format!("/drafts/{number}/rows")),
        Err(Trouble::App(error)) => Err(Problem { error, back_to: "/import".to_owned() }),
        Err(Trouble::List(refusal)) => Err(Problem {
            error: AppError::Invalid { field: "file".to_owned(), message: refusal.words() },
            back_to: match refusal {
                Refusal::OpenQuote(line) => format!("/import?problem={}&line={line}", refusal.code()),
                _ => format!("/import?problem={}", refusal.code()),
            },
        }),
    };
    respond(&parts, ended)
}

/// Why no draft was made.
#[derive(Debug)]
enum Trouble {
    App(AppError),
    List(Refusal),
}

impl From<AppError> for Trouble {
    fn from(error: AppError) -> Self {
        Self::App(error)
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::App(mishap(error))
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::List(refusal)
    }
}

/// Nothing can be read of the upload any more: it was cut off, or is far too large.
fn cut_off(error: &axum::extract::multipart::MultipartError) -> Trouble {
    tracing::info!(%error, "an upload could not be read");
    Trouble::List(if error.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
        Refusal::TooLarge
    } else {
        Refusal::Empty
    })
}

async fn take(visit: &Visit, request: Request) -> Result<DraftNumber, Trouble> {
    if !visit.viewer.role.may_onboard() {
        return Err(AppError::Forbidden.into());
    }
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| AppError::OutOfDate)?;
    let mut outcome = Err(Trouble::List(Refusal::Empty));
    while let Some(field) = form.next_field().await.map_err(|error| cut_off(&error))? {
        let is_file = match field.name() {
            Some("file") => true,
            Some("ids") => false,
            _ => continue,
        };
        // A browser sends both, the one that wasn't filled in empty. Once there is a draft, or something is wrong, the rest is passed by.
        if matches!(outcome, Err(Trouble::List(Refusal::Empty))) {
            let name = if is_file { field.file_name().map(file_name) } else { None };
            let mut intake = Intake::new(visit, name);
            outcome = intake.read(field).await;
            if outcome.is_err() {
                intake.give_up().await;
            }
        } else {
            pass_by(field).await;
        }
    }
    outcome
}

/// A file's name without its folders, and without what can't be kept or shown.
fn file_name(given: &str) -> String {
    let name = given.rsplit(['/', '\\']).next().unwrap_or_default();
    name.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Reads a field to its end for nothing: a browser that is still sending doesn't hear the answer.
async fn pass_by(mut field: Field<'_>) {
    while let Ok(Some(_)) = field.chunk().await {}
}

/// A list on its way into a draft.
struct Intake<'a> {
    visit: &'a Visit,
    file_name: Option<String>,
    /// The draft, once the first rows are written.
    draft: Option<DraftNumber>,
}

impl<'a> Intake<'a> {
    fn new(visit: &'a Visit, file_name: Option<String>) -> Self {
        Self { visit, file_name, draft: None }
    }

    async fn read(&mut self, mut field: Field<'_>) -> Result<DraftNumber, Trouble> {
        let (mut reader, mut rows) = (Reader::default(), Vec::with_capacity(PIECE));
        while let Some(bytes) = field.chunk().await.map_err(|error| cut_off(&error))? {
            if let Err(refusal) = reader.feed(&bytes, &mut rows) {
                pass_by(field).await;
                return Err(refusal.into());
            }
            if rows.len() >= PIECE {
                self.write(&mut rows).await?;
            }
        }
        reader.finish(&mut rows)?;
        self.write(&mut rows).await?;
        self.close().await
    }

    async fn write(&mut self, rows: &mut Vec<Row>) -> Result<(), Trouble> {
        let mut tx = self.visit.tenant().await?;
        let (member, now) = (self.visit.viewer.member_id, self.visit.clock.now());
        let number = if let Some(number) = self.draft {
            number
        } else {
            store::forget_old(&mut tx, member, now).await?;
            store::begin(&mut tx, member, Source::List, self.file_name.as_deref(), now).await?
        };
        store::add_rows(&mut tx, number, rows).await?;
        tx.commit().await?;
        rows.clear();
        self.draft = Some(number);
        Ok(())
    }

    /// The list is read to its end: from here on the draft is there.
    async fn close(&mut self) -> Result<DraftNumber, Trouble> {
        let number = self.draft.ok_or(Refusal::Empty)?;
        let mut tx = self.visit.tenant().await?;
        store::check_rows(&mut tx, number, self.visit.clock.now()).await?;
        tx.commit().await?;
        Ok(number)
    }

    /// Takes away what was written. If that fails the member's next draft does it.
    async fn give_up(self) {
        let Some(number) = self.draft else { return };
        let gone = async {
            let mut tx = self.visit.tenant().await?;
            store::discard(&mut tx, number).await.map_err(mishap)?;
            tx.commit().await.map_err(mishap)
        };
        if let Err(error) = gone.await {
            tracing::warn!(%error, draft = number.0, "a list that was refused could not be taken away");
        }
    }
}

/// `GET /drafts/{number}/problems.csv`.
async fn problems(State(needs): State<Needs>, Path(number): Path<String>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let visit = match Visit::of_request(&parts, needs.db, needs.clock) {
        Ok(visit) => visit,
        Err(error) => return refuse_request(&parts, &error),
    };
    match find(&visit, &number).await {
        Err(error) => refuse_request(&parts, &error),
        Ok(number) => {
            let disposition = format!("attachment; filename=\"problem-rows-{number}.csv\"");
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
                (
                    header::CONTENT_DISPOSITION,
                    HeaderValue::from_str(&disposition).unwrap_or(HeaderValue::from_static("attachment")),
                ),
            ];
            (headers, problem_rows(visit.db.clone(), visit.viewer.partner.clone(), number)).into_response()
        }
    }
}

async fn find(visit: &Visit, number: &str) -> Result<DraftNumber, AppError> {
    let number = number.parse().map_err(|_| AppError::NotFound)?;
    let mut tx = visit.tenant().await?;
    store::find_draft(&mut tx, number).await.map_err(mishap)?.ok_or(AppError::NotFound)?;
    let entry = visit.entry(Act::Exported, format!("Problem rows of draft {number} (CSV)"));
    audit(&mut tx, &entry).await.map_err(mishap)?;
    tx.commit().await.map_err(mishap)?;
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_is_its_last_part() {
        for (given, name) in [
            ("november-wave.csv", "november-wave.csv"),
            ("C:\\fakepath\\a b.csv", "a b.csv"),
            ("../../etc/passwd", "passwd"),
            ("a\0\nb.csv", "ab.csv"),
            ("", ""),
        ] {
            assert_eq!(file_name(given), name);
        }
        assert_eq!(file_name(&"x".repeat(999)).len(), 200);
    }
}
