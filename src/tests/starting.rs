//! The start of a process whose Postgres isn't there, or goes away meanwhile.

use std::{
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use sqlx::PgPool;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::task::TaskTracker;

/// What a process says to Postgres before it applies migrations.
const AT_THE_MIGRATIONS: &[u8] = b"pg_advisory_lock";

#[sqlx::test(migrations = false)]
async fn postgres_that_goes_away_while_it_is_brought_up_to_date_is_waited_for(pool: PgPool) {
    let mut url = url::Url::parse(&std::env::var("DATABASE_URL").expect("tests are given a database")).unwrap();
    let postgres = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
    let between = TcpListener::bind("127.0.0.1:0").await.unwrap();
    url.set_path(pool.connect_options().get_database().unwrap());
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(between.local_addr().unwrap().port())).unwrap();
    let broken = Arc::new(AtomicBool::new(false));
    let connections = TaskTracker::new();
    let (told, open) = (Arc::clone(&broken), connections.clone());
    tokio::spawn(async move {
        while let Ok((ours, _)) = between.accept().await {
            let theirs = TcpStream::connect(&postgres).await.unwrap();
            open.spawn(pass_on(ours, theirs, Arc::clone(&told)));
        }
    });

    let mut process = Command::new(env!("CARGO_BIN_EXE_liteboard"));
    process.arg("migrate").env("DATABASE_URL", url.as_str()).stdin(Stdio::null());
    let ended = tokio::task::spawn_blocking(move || process.status()).await.unwrap().unwrap();
    connections.close();
    connections.wait().await;
    assert!(ended.success(), "{ended}");
    assert!(broken.load(Ordering::Acquire), "a connection was cut");
    let requests = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM requests").fetch_one(&pool).await.unwrap();
    assert_eq!(requests, 0, "the tables are there");
}

/// Passes on what is said. The first time that it comes to the migrations, the connection is gone.
async fn pass_on(mut ours: TcpStream, mut theirs: TcpStream, broken: Arc<AtomicBool>) {
    let (mut from_us, mut from_them) = ([0; 4096], [0; 4096]);
    loop {
        let passed = tokio::select! {
            read = ours.read(&mut from_us) => {
                let said = &from_us[..read.unwrap_or(0)];
                let migrates = said.windows(AT_THE_MIGRATIONS.len()).any(|part| part == AT_THE_MIGRATIONS);
                if migrates && !broken.swap(true, Ordering::AcqRel) {
                    return;
                }
                !said.is_empty() && theirs.write_all(said).await.is_ok()
            }
            read = theirs.read(&mut from_them) => {
                let said = &from_them[..read.unwrap_or(0)];
                !said.is_empty() && ours.write_all(said).await.is_ok()
            }
        };
        if !passed {
            return;
        }
    }
}
