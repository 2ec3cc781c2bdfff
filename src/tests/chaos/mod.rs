//! The real processes under kill -9: 0 lost, 0 double agreements, 0 stuck.
//!
//! A server, two workers, a Postgres and the simulator work through a batch while workers and Postgres are killed at random
//! moments and Meta's answers fail by chance; in the end the simulator's ledger and our table must agree row by row (`laws`).
//! The short form runs with all tests; `CHAOS=long` (`bin/test chaos`) makes it the long one. `CHAOS_SEED` repeats a run as far
//! as that goes: who is struck and which faults there are, not the microsecond.

mod cluster;
mod laws;
mod stand;
mod watch;

use std::time::{Duration, Instant};

use liteboard::{
    graph_simulator::{Chance, Fault, Operation, Options},
    reconcile,
};
use tokio::task::JoinHandle;

use super::{
    app::{ADMIN, NORTHLANE},
    browser::Browser,
};
use stand::{Stand, until};
use watch::{TakenUp, watch};

/// A solution that can be asked for: a third of the requests do.
const SOLUTION: &str = "19702253086701";

/// What strikes by chance while the batch runs: about one call in twenty.
const CHANCES: [(Operation, Fault, f64); 9] = [
    (Operation::Onboard, Fault::ResetAfter, 0.015),
    (Operation::Onboard, Fault::ResetBefore, 0.01),
    (Operation::Onboard, Fault::CutJson, 0.01),
    (Operation::Onboard, Fault::ServerError, 0.005),
    (Operation::Onboard, Fault::Unavailable, 0.005),
    (Operation::Onboard, Fault::BadGateway, 0.003),
    (Operation::Onboard, Fault::EmptyObject, 0.003),
    (Operation::Business, Fault::ServerError, 0.01),
    (Operation::Business, Fault::ResetBefore, 0.01),
];

/// What befalls the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    /// SIGKILL of a worker.
    Worker,
    /// Postgres stops as in a power cut, and starts again.
    Postgres,
    Both,
    /// SIGTERM of the worker that dispatches.
    Farewell,
}

/// How much of everything.
struct Scale {
    requests: usize,
    blows: [(Blow, usize); 4],
    /// Kills of workers, and of Postgres.
    kills: (usize, usize),
}

impl Scale {
    fn wanted() -> Self {
        if std::env::var("CHAOS").is_ok_and(|form| form == "long") {
            let blows = [(Blow::Worker, 14), (Blow::Postgres, 14), (Blow::Both, 8), (Blow::Farewell, 6)];
            Self { requests: 5_000, blows, kills: (22, 22) }
        } else {
            let blows = [(Blow::Worker, 1), (Blow::Postgres, 1), (Blow::Both, 1), (Blow::Farewell, 1)];
            Self { requests: 500, blows, kills: (2, 2) }
        }
    }
}

/// Chance that can be repeated (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % end
    }

    async fn pause_below(&mut self, millis: usize) {
        let millis = self.below(millis);
        reconcile::pause(Duration::from_millis(millis.try_into().unwrap())).await;
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_nothing_is_lost_doubled_or_stuck() {
    let scale = Scale::wanted();
    let seed = std::env::var("CHAOS_SEED")
        .map_or_else(|_| u64::from(rand::random::<u32>()), |seed| seed.parse().expect("CHAOS_SEED is a number"));
    println!("chaos: {} requests, CHAOS_SEED={seed}", scale.requests);
    let mut dice = Dice(seed);
    let mut blows: Vec<Blow> = scale.blows.iter().flat_map(|(blow, times)| vec![*blow; *times]).collect();
    dice.shuffle(&mut blows);

    // Nobody else's agreements: of one with another partner Meta doesn't say whose it is.
    let options = Options {
        businesses: scale.requests + blows.len() + 10,
        shared_businesses: 0,
        seed,
        latency: Duration::from_millis(40),
        ..Options::default()
    };
    let stand = Stand::start(options).await;
    let browser = Browser::at(&stand.url);
    browser.sign_in(ADMIN).await.unwrap();
    until("the sync to finish", async || synced(&stand).await).await;
    let before = laws::look_before(&stand);
    set_faults(&stand);

    let mut asked = start_batch(&stand, i64::try_from(scale.requests).unwrap()).await;
    let mut chaos = Chaos { stand, dice, watches: Vec::new(), kills: (0, 0) };
    let rounds = blows.len();
    for (round, blow) in blows.into_iter().enumerate() {
        let step = scale.requests / (rounds + 1);
        let mark = step * round + step / 2 + chaos.dice.below(step);
        let reached = async || chaos.stand.simulator.count(Operation::Onboard) >= mark as u64;
        until("enough requests to have been sent", reached).await;
        chaos.dice.pause_below(60).await;
        chaos.strike(round + 1, blow).await;
        asked += ask_alone(&chaos.stand).await;
    }
    chaos.stand.simulator.clear_faults();
    until("everything to settle", async || open_after_time_passed(&chaos.stand).await == 0).await;
    let Chaos { stand, watches, kills, .. } = chaos;
    for watch in watches {
        let taken_up = watch.await.unwrap();
        println!("chaos: {taken_up}");
        assert!(taken_up.stuck.is_empty(), "{taken_up}");
    }
    assert!(kills.0 >= scale.kills.0 && kills.1 >= scale.kills.1, "{kills:?} kills of workers and Postgres");
    laws::hold(&stand, &before, asked).await;
    let page = browser.open("/requests").await.unwrap();
    assert!(page.status.is_success() && page.body.contains("Requested"), "the server outlives it all: {}", page.body);
    println!("chaos: {asked} requests agree, {} kills of workers and {} of Postgres", kills.0, kills.1);
}

struct Chaos {
    stand: Stand,
    dice: Dice,
    watches: Vec<JoinHandle<TakenUp>>,
    /// Of workers, and of Postgres.
    kills: (usize, usize),
}

impl Chaos {
    async fn strike(&mut self, round: usize, blow: Blow) {
        if blow == Blow::Farewell {
            return self.see_off(round).await;
        }
        let holder = self.stand.holder().await;
        // Mostly the one that dispatches.
        let worker = holder.filter(|_| self.dice.below(4) > 0).unwrap_or(self.dice.below(2));
        if blow != Blow::Postgres && Some(worker) == holder && self.dice.below(3) == 0 {
            self.hang_one().await;
        }
        let began = Instant::now();
        let first = self.dice.below(2);
        if blow != Blow::Postgres && first == 0 {
            self.kill_worker(worker);
        }
        if blow != Blow::Worker {
            tokio::task::block_in_place(|| self.stand.cluster.kill());
            self.kills.1 += 1;
        }
        if blow != Blow::Postgres && first == 1 {
            self.kill_worker(worker);
        }
        if blow != Blow::Worker {
            self.dice.pause_below(1_000).await;
            tokio::task::block_in_place(|| self.stand.cluster.start_again());
        }
        let what = match blow {
            Blow::Postgres => String::new(),
            _ if Some(worker) == holder => format!(" (worker {worker}, which dispatched)"),
            _ => format!(" (worker {worker})"),
        };
        self.watches.push(watch(self.stand.pool.clone(), format!("{round}. {blow:?}{what}"), began));
        set_faults(&self.stand);
        if blow != Blow::Postgres {
            self.dice.pause_below(1_000).await;
            self.stand.start_worker(worker);
        }
        // Half of the time the next blow may fall while this one is still felt.
        if self.dice.below(2) == 0 {
            self.let_it_pass().await;
        }
    }

    fn kill_worker(&mut self, worker: usize) {
        self.stand.worker(worker).kill();
        self.kills.0 += 1;
    }

    /// The next POST takes effect and is never answered.
    async fn hang_one(&self) {
        let simulator = &self.stand.simulator;
        let before = simulator.count(Operation::Onboard);
        simulator.plan(Operation::Onboard, Fault::HangAfter, 1);
        for _ in 0..200 {
            if simulator.count(Operation::Onboard) > before {
                break;
            }
            reconcile::pause(Duration::from_millis(5)).await;
        }
    }

    /// Waits until what the blows so far interrupted has been taken up.
    async fn let_it_pass(&self) {
        until("what was interrupted to be taken up", async || self.watches.iter().all(JoinHandle::is_finished)).await;
    }

    /// A worker that is told to end leaves nothing behind for others to take up.
    async fn see_off(&mut self, round: usize) {
        self.let_it_pass().await;
        until("somebody to dispatch", async || self.stand.holder().await.is_some()).await;
        let worker = self.stand.holder().await.unwrap();
        let before = taken_up(&self.stand).await;
        let began = Instant::now();
        self.stand.worker(worker).terminate();
        self.watches.push(watch(
            self.stand.pool.clone(),
            format!("{round}. {:?} (worker {worker})", Blow::Farewell),
            began,
        ));
        let status = self.stand.worker(worker).end().await;
        assert!(status.success(), "a worker that is told to end: {status}");
        let (ended, sent) = (Instant::now(), self.stand.simulator.count(Operation::Onboard));
        let goes_on =
            async || self.stand.simulator.count(Operation::Onboard) > sent || open_requests(&self.stand).await == 0;
        until("the other worker to go on", goes_on).await;
        println!(
            "chaos: {round}. SIGTERM: ended after {:.2} s, the next one went on {:.2} s later",
            (ended - began).as_secs_f64(),
            ended.elapsed().as_secs_f64()
        );
        assert_eq!(taken_up(&self.stand).await, before, "the one that was told to end left requests Sending");
        self.stand.start_worker(worker);
    }
}

fn set_faults(stand: &Stand) {
    stand.simulator.clear_faults();
    for (operation, fault, probability) in CHANCES {
        stand.simulator.set_chance(Chance { operation, fault, probability });
    }
}

async fn synced(stand: &Stand) -> bool {
    sqlx::query_scalar!("SELECT EXISTS (SELECT FROM syncs WHERE finished_at IS NOT NULL) AS \"done!\"")
        .fetch_one(&stand.pool)
        .await
        .unwrap()
}

/// Starts a batch of so many businesses, as starting a selection does, and answers how many there are.
async fn start_batch(stand: &Stand, requests: i64) -> i64 {
    ask(stand, requests, "selection", false).await
}

/// Asks for one more business, as a click does.
async fn ask_alone(stand: &Stand) -> i64 {
    ask(stand, 1, "click", true).await
}

async fn ask(stand: &Stand, requests: i64, source: &str, alone: bool) -> i64 {
    sqlx::query_scalar!(
        r#"
        WITH picked AS (
            SELECT b.business_id, row_number() OVER (ORDER BY b.business_id) AS place FROM businesses b
            WHERE b.partner_id::text = $1 AND NOT EXISTS (
                SELECT FROM requests r WHERE r.partner_id = b.partner_id AND r.business_id = b.business_id
            )
            ORDER BY b.business_id LIMIT $2
        ), batch AS (
            INSERT INTO batches (partner_id, member_id, started_at, source, size)
            SELECT $1, min(member_id), now(), $3, $2 FROM members
            RETURNING batch_number, member_id
        ), made AS (
            INSERT INTO requests (partner_id, batch_number, business_id, member_id, solution_id, state, queued_at, changed_at, alone)
            SELECT $1, batch_number, business_id, member_id, CASE WHEN place % 3 = 0 THEN $5 END, 'queued', now(), now(), $4
            FROM picked, batch ORDER BY place
            RETURNING number, member_id
        ), told AS (
            INSERT INTO request_events (partner_id, number, at, state, attempt, member_id)
            SELECT $1, number, now(), 'queued', 0, member_id FROM made
        ), woken AS (
            SELECT pg_notify('liteboard', 'dispatch:' || $1)
        )
        SELECT (SELECT count(*) FROM made) AS "made!" FROM woken
        "#,
        NORTHLANE,
        requests as _,
        source,
        alone,
        SOLUTION as _,
    )
    .fetch_one(&stand.pool)
    .await
    .unwrap()
}

async fn open_requests(stand: &Stand) -> i64 {
    sqlx::query_scalar!(
        "SELECT count(*) AS \"open!\" FROM requests WHERE state IN ('queued', 'sending', 'waiting_to_retry')"
    )
    .fetch_one(&stand.pool)
    .await
    .unwrap()
}

/// How many requests are not settled; for those that wait out a fault, time passes.
async fn open_after_time_passed(stand: &Stand) -> i64 {
    reconcile::pause(Duration::from_millis(250)).await;
    sqlx::query!(
        "WITH passed AS (
            UPDATE requests SET retry_at = now() WHERE state = 'waiting_to_retry' AND retry_at > now() RETURNING number
        )
        SELECT pg_notify('liteboard', 'dispatch:' || $1) FROM (SELECT FROM passed LIMIT 1) AS any_passed",
        NORTHLANE,
    )
    .fetch_all(&stand.pool)
    .await
    .unwrap();
    open_requests(stand).await
}

/// How many attempts were taken up from a process that had ended: they wait for nothing.
async fn taken_up(stand: &Stand) -> i64 {
    sqlx::query_scalar!(
        "SELECT count(*) AS \"taken_up!\" FROM request_events
        WHERE state = 'waiting_to_retry' AND cause = 'outcome_unknown' AND retry_at <= at"
    )
    .fetch_one(&stand.pool)
    .await
    .unwrap()
}
