//! Keeps every Graph call: takes each from the client, and writes whatever is waiting in one go.

use std::{pin::Pin, time::Duration};

use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use super::writer::{Entry, Writer};
use crate::{
    db::{Db, PartnerId},
    graph::{BusinessId, Call, Observer, Operation},
    reconcile::{CancellationToken, pause},
};

/// How long a caller waits for its row, and the writer for Postgres at the end.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most calls that wait to be written. Beyond it callers wait with theirs in hand.
const LONGEST_QUEUE: usize = 1_000;

/// Writes each Graph call into `graph_calls` before its result is handed back. Cheap to clone.
///
/// One task writes. A single call is written at once; while a write is under way others gather, and go together in the next.
/// When Postgres is away a caller is let go after ten seconds with its call's facts in the log; the row is still written if
/// Postgres comes back. A COMMIT whose answer is lost is repeated, so in that one case a call may stand there twice.
#[derive(Clone, Debug)]
pub struct Recorder {
    queue: mpsc::Sender<Entry>,
    stop: CancellationToken,
    writer: TaskTracker,
    patience: Duration,
    /// Whose a failed call is that was made for no partner known.
    only_partner: Option<BusinessId>,
}

impl Recorder {
    /// Starts the writer; must be called within a runtime.
    ///
    /// Calls of a sign-in, made before it's known for which partner, are nobody's. Where one partner alone is served, those that fail are
    /// that partner's, so that its people can look up what the sign-in page named; an answer stays nobody's, as it may tell of a stranger.
    pub fn start(db: Db, partners: &[PartnerId]) -> Self {
        let (mut recorder, writer) = Self::prepare(db, PATIENCE);
        if let [only] = partners {
            recorder.only_partner = Some(only.as_business().clone());
        }
        let ending = recorder.stop.clone();
        recorder.writer.spawn(writer.run(ending));
        recorder
    }

    fn prepare(db: Db, patience: Duration) -> (Self, Writer) {
        let (queue, waiting) = mpsc::channel(LONGEST_QUEUE);
        let recorder =
            Self { queue, stop: CancellationToken::new(), writer: TaskTracker::new(), patience, only_partner: None };
        (recorder, Writer { db, waiting, patience })
    }

    /// Writes what is still waiting, for at most ten seconds, and ends. Calls that end later are logged, not kept: close it
    /// when nothing calls Meta any more.
    pub async fn close(self) {
        self.stop.cancel();
        self.writer.close();
        self.writer.wait().await;
    }

    /// Comes back when the row is committed, or with why there is none.
    async fn keep(&self, call: &Call) -> Result<(), &'static str> {
        let (kept, settled) = oneshot::channel();
        let written = async {
            let mut call = call.clone();
            let failed = call.error.is_some() || call.failure.is_some();
            // A token that lasts already is refused a longer life at each sign-in.
            if call.origin.partner.is_none() && failed && call.operation != Operation::ExchangeToken {
                call.origin.partner.clone_from(&self.only_partner);
            }
            let entry = Entry { call, kept };
            self.queue.send(entry).await.map_err(|_| "the recorder has ended")?;
            settled.await.map_err(|_| "it was refused, or the recorder ended")
        };
        tokio::select! {
            biased;
            written = written => written,
            () = pause(self.patience) => Err("Postgres took too long"),
        }
    }
}

impl Observer for Recorder {
    fn observe<'a>(&'a self, call: &'a Call) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            measure(call);
            if let Err(why) = self.keep(call).await {
                metrics::counter!("liteboard_graph_calls_not_recorded_total").increment(1);
                log_instead(call, why);
            }
        })
    }
}

fn measure(call: &Call) {
    let outcome = call.failure.unwrap_or(if call.error.is_some() { "refused" } else { "answered" });
    let operation = call.operation.as_str();
    metrics::counter!("liteboard_graph_calls_total", "operation" => operation, "outcome" => outcome).increment(1);
    metrics::histogram!("liteboard_graph_call_seconds", "operation" => operation, "outcome" => outcome)
        .record(call.duration);
}

/// What Meta needs to find the call, and no more: not the query, not the body.
fn log_instead(call: &Call, why: &str) {
    let error = call.error.as_ref();
    tracing::error!(
        why,
        partner = call.origin.partner.as_ref().map(tracing::field::display),
        request = call.origin.request,
        attempt = call.origin.attempt,
        operation = call.operation.as_str(),
        method = call.method,
        path = call.path,
        at = %call.started_at,
        status = call.status,
        failure = call.failure,
        code = error.and_then(|error| error.code),
        subcode = error.and_then(|error| error.subcode),
        fbtrace_id = call.trace_id(),
        "a Graph call is kept in this line only"
    );
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use futures::{future::join_all, poll};
    use sqlx::{PgPool, Row};

    use super::*;
    use crate::support::fixture::{TRACE, refused_call};

    const PARTNER: &str = "418206733951027";

    async fn traces(pool: &PgPool) -> Vec<String> {
        sqlx::query_scalar("SELECT fbtrace_id FROM graph_calls ORDER BY call_id").fetch_all(pool).await.unwrap()
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_call_is_committed_when_observe_returns_and_every_field_is_there(pool: PgPool) {
        let recorder = Recorder::start(Db::from_pool(pool.clone()), &[]);
        let call = refused_call(PARTNER, "2210758843906172", TRACE);
        recorder.observe(&call).await;

        let row = sqlx::query("SELECT * FROM graph_calls").fetch_one(&pool).await.unwrap();
        let text = |name: &str| row.get::<Option<String>, _>(name);
        let error = call.error.clone().unwrap();
        let texts = [
            ("operation", Some("onboard_partners_to_mm_lite".into())),
            ("method", Some("POST".into())),
            ("path", Some(call.path.clone())),
            ("query", Some(call.query.clone())),
            ("subject_id", call.subject.clone()),
            ("solution_id", Some("77".into())),
            ("graph_version", Some("v25.0".into())),
            ("app_id", Some("731940286655018".into())),
            ("failure", None),
            ("failure_detail", None),
            ("error_type", error.kind),
            ("error_message", error.message),
            ("error_user_title", error.user_title),
            ("error_user_message", error.user_message),
            ("error_data", error.error_data),
            ("fbtrace_id", error.fbtrace_id),
            ("x_fb_trace_id", call.x_fb_trace_id.clone()),
            ("x_fb_request_id", call.x_fb_request_id.clone()),
            ("x_fb_rev", call.x_fb_rev.clone()),
            ("x_fb_debug", call.x_fb_debug.clone()),
            ("app_usage", call.app_usage.clone()),
            ("business_use_case_usage", call.business_use_case_usage.clone()),
            ("retry_after", call.retry_after.clone()),
            ("content_type", call.content_type.clone()),
            ("body", Some(call.body.clone())),
        ];
        for (name, value) in texts {
            assert_eq!(text(name), value, "{name}");
        }
        let partner: String =
            sqlx::query_scalar("SELECT partner_id::text FROM graph_calls").fetch_one(&pool).await.unwrap();
        assert_eq!(partner, PARTNER);
        assert_eq!(row.get::<time::OffsetDateTime, _>("started_at"), call.started_at);
        assert_eq!(row.get::<i32, _>("duration_ms"), 340);
        assert_eq!(row.get::<Option<i16>, _>("http_status"), Some(403));
        assert_eq!(row.get::<Option<i64>, _>("error_code"), Some(200));
        assert_eq!(row.get::<Option<i64>, _>("error_subcode"), Some(1_349_174));
        assert_eq!(row.get::<Option<bool>, _>("is_transient"), Some(false));
        assert_eq!(row.get::<Option<i32>, _>("attempt"), Some(1));
        assert_eq!(row.get::<Option<i64>, _>("number"), None);
        recorder.close().await;
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn calls_that_gather_are_written_in_one_go_and_in_their_order(pool: PgPool) {
        let (recorder, writer) = Recorder::prepare(Db::from_pool(pool.clone()), PATIENCE);
        let calls: Vec<Call> = (0..100).map(|at| refused_call(PARTNER, "7", &format!("A{at:03}"))).collect();
        let mut observing = join_all(calls.iter().map(|call| recorder.observe(call)));
        assert!(poll!(&mut observing).is_pending());
        recorder.writer.spawn(writer.run(recorder.stop.clone()));
        observing.await;

        let expected: Vec<String> = (0..100).map(|at| format!("A{at:03}")).collect();
        assert_eq!(traces(&pool).await, expected);
        let transactions: i64 =
            sqlx::query_scalar("SELECT count(DISTINCT xmin::text) FROM graph_calls").fetch_one(&pool).await.unwrap();
        assert_eq!(transactions, 1);
        recorder.close().await;
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn each_partner_gets_its_own_calls_and_those_before_sign_in_belong_to_nobody(pool: PgPool) {
        let (recorder, writer) = Recorder::prepare(Db::from_pool(pool.clone()), PATIENCE);
        let mut calls = vec![refused_call("11", "7", "A"), refused_call("22", "7", "B"), refused_call("11", "7", "C")];
        calls[1].origin.partner = None;
        calls.push(refused_call("22", "7", "D"));
        let mut observing = join_all(calls.iter().map(|call| recorder.observe(call)));
        assert!(poll!(&mut observing).is_pending());
        recorder.writer.spawn(writer.run(recorder.stop.clone()));
        observing.await;

        let rows: Vec<(String, Option<String>)> =
            sqlx::query_as("SELECT fbtrace_id, partner_id::text FROM graph_calls ORDER BY fbtrace_id")
                .fetch_all(&pool)
                .await
                .unwrap();
        let owners = [("A", Some("11")), ("B", None), ("C", Some("11")), ("D", Some("22"))];
        assert_eq!(rows, owners.map(|(trace, owner)| (trace.to_owned(), owner.map(str::to_owned))));
        recorder.close().await;
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn the_only_partner_sees_what_failed_before_sign_in_and_no_answer(pool: PgPool) {
        let partner = |id: &str| id.parse::<PartnerId>().unwrap();
        for (partners, owner) in [(vec![partner("11")], Some("11")), (vec![partner("11"), partner("22")], None)] {
            let recorder = Recorder::start(Db::from_pool(pool.clone()), &partners);
            let mut failed = refused_call("11", "7", &format!("A{}", partners.len()));
            failed.origin.partner = None;
            let answered = Call { error: None, status: Some(200), ..failed.clone() };
            recorder.observe(&answered).await;
            recorder.observe(&failed).await;
            recorder.close().await;
            let rows: Vec<Option<String>> = sqlx::query_scalar("DELETE FROM graph_calls RETURNING partner_id::text")
                .fetch_all(&pool)
                .await
                .unwrap();
            assert_eq!(rows, [None, owner.map(str::to_owned)]);
        }
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn what_waits_when_it_is_closed_is_still_written(pool: PgPool) {
        let (recorder, writer) = Recorder::prepare(Db::from_pool(pool.clone()), PATIENCE);
        let calls: Vec<Call> = (0..3).map(|at| refused_call(PARTNER, "7", &format!("A{at}"))).collect();
        let mut observing = join_all(calls.iter().map(|call| recorder.observe(call)));
        assert!(poll!(&mut observing).is_pending());
        recorder.writer.spawn(writer.run(recorder.stop.clone()));
        recorder.clone().close().await;
        assert_eq!(traces(&pool).await, ["A0", "A1", "A2"]);
        observing.await;
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_call_that_postgres_refuses_costs_the_others_nothing_and_is_logged(pool: PgPool) {
        let log = Log::default();
        let _listening = log.listen();
        let (recorder, writer) = Recorder::prepare(Db::from_pool(pool.clone()), PATIENCE);
        let mut calls: Vec<Call> = (0..3).map(|at| refused_call(PARTNER, "7", &format!("A{at}"))).collect();
        calls[1].body = "\0".into();
        let ending = recorder.stop.clone();
        tokio::join!(join_all(calls.iter().map(|call| recorder.observe(call))), async {
            // The calls were polled before and wait by now; the end lets the writer stop once they are settled.
            ending.cancel();
            writer.run(ending.clone()).await;
        });
        assert_eq!(traces(&pool).await, ["A0", "A2"]);
        assert!(log.text().contains("fbtrace_id=\"A1\""), "{}", log.text());
        assert!(!log.text().contains("fbtrace_id=\"A0\""), "{}", log.text());
    }

    /// A database nobody listens at.
    fn away() -> Db {
        Db::new(&"postgres://nobody@127.0.0.1:1/none".to_owned().into(), 1).unwrap()
    }

    #[tokio::test]
    async fn while_postgres_is_away_nobody_waits_long_and_the_facts_are_logged() {
        let log = Log::default();
        let _listening = log.listen();
        let (recorder, writer) = Recorder::prepare(away(), Duration::from_millis(20));
        recorder.writer.spawn(writer.run(recorder.stop.clone()));
        let mut call = refused_call(PARTNER, "7", TRACE);
        call.origin.request = Some(1001);
        recorder.observe(&call).await;

        let line = log.text();
        for fact in
            [TRACE, "onboard_partners_to_mm_lite", "/v25.0/7/", "request=1001", "status=403", "code=200", PARTNER]
        {
            assert!(line.contains(fact), "{fact} is not in {line}");
        }
        for kept_out in ["solution_id", "\"error\"", "redacted"] {
            assert!(!line.contains(kept_out), "{kept_out} is in {line}");
        }
        recorder.close().await;
    }

    #[tokio::test]
    async fn when_the_writer_is_gone_calls_are_logged_at_once() {
        let log = Log::default();
        let _listening = log.listen();
        let (recorder, writer) = Recorder::prepare(away(), PATIENCE);
        drop(writer);
        recorder.observe(&refused_call(PARTNER, "7", TRACE)).await;
        assert!(log.text().contains(TRACE));
    }

    #[tokio::test]
    async fn a_queue_that_is_full_holds_nobody_longer_than_patience() {
        let (recorder, _writer) = Recorder::prepare(away(), Duration::from_millis(20));
        let call = refused_call(PARTNER, "7", TRACE);
        join_all((0..=LONGEST_QUEUE).map(|_| recorder.observe(&call))).await;
    }

    /// What the code under test logs.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Log {
        fn listen(&self) -> tracing::subscriber::DefaultGuard {
            let log = self.clone();
            let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.clone()).finish();
            let listening = tracing::subscriber::set_default(lines);
            // A line that another test met first, with nobody listening, is remembered as of no interest.
            tracing::callsite::rebuild_interest_cache();
            listening
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
