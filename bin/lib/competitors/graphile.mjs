// Asks the businesses on standard input, one id a line, to join: with graphile-worker, a job for each, and fetch.
//
// What bin/bench sets a drain beside. Both the queue and the outcomes are in Postgres, as ours are. Takes DATABASE_URL (a database
// of its own: what it left there before is dropped), GRAPH_URL, META_APP_SECRET and ACCESS_TOKEN, and prints one line of JSON: how
// many calls, and in how many seconds. Putting the jobs into the queue is not counted.

import { fork } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { Logger, makeWorkerUtils, runOnce } from "graphile-worker";
import pg from "pg";
// Node's own fetch is this one, of whatever version came with that Node. Pinned, the figure does not depend on it.
import { Agent, fetch } from "undici";

const { values: options } = parseArgs({
  options: {
    // Node runs one thread of JavaScript in each.
    processes: { type: "string", default: "2" },
    // At once, in each process.
    jobs: { type: "string", default: "64" },
  },
});
const jobs = Number(options.jobs);

const worker = {
  connectionString: process.env.DATABASE_URL,
  concurrentJobs: jobs,
  // Queries come in groups, so a few connections do.
  maxPoolSize: 10,
  // Jobs fetched by one query and jobs completed by one query: both are off by default, which takes 2.5 times as long.
  localQueue: { size: 4000 },
  completeJobBatchDelay: 250,
  failJobBatchDelay: 250,
  logger: new Logger(() => () => {}),
};

// Outcomes that wait to be written.
let group = [];

if (process.send) {
  await work();
} else {
  await main();
}

async function main() {
  const ids = (await text(process.stdin)).split("\n").filter((id) => id !== "");
  const database = new pg.Client(process.env.DATABASE_URL);
  await database.connect();
  await fill(database, ids);

  const processes = Array.from({ length: Number(options.processes) }, () =>
    fork(import.meta.filename, process.argv.slice(2)),
  );
  // Ready before the clock starts, so that what starting Node takes is not counted.
  await Promise.all(processes.map(told));
  const started = performance.now();
  const done = processes.map(told);
  for (const process of processes) process.send("begin");
  await Promise.all(done);
  const seconds = (performance.now() - started) / 1000;

  const counts = await database.query(
    `SELECT count(request_id)::int AS answered, count(refusal)::int AS refused, min(refusal) AS refusal,
            (SELECT min(last_error) FROM graphile_worker._private_jobs) AS failure
     FROM outcomes`,
  );
  await database.end();
  const { answered, refused, refusal, failure } = counts.rows[0];
  if (refused > 0) console.error(`refused: ${refusal}`);
  // A job is tried once: one without an outcome has met an error that Graph did not answer with.
  if (answered + refused !== ids.length) {
    throw new Error(`${ids.length - answered - refused} jobs have no outcome: ${failure}`);
  }
  console.log(
    JSON.stringify({
      calls: ids.length,
      answered,
      refused,
      seconds: Number(seconds.toFixed(3)),
      settings:
        `${options.processes} processes, ${jobs} jobs at once each, ${worker.localQueue.size} fetched at a time, ` +
        `completed every ${worker.completeJobBatchDelay} ms, outcomes saved in groups`,
    }),
  );
}

// Waits for the next message of a process; an end without one is a failure.
async function told(process) {
  const over = new AbortController();
  const { signal } = over;
  const exit = once(process, "exit", { signal }).then(() => {
    throw new Error("a process of graphile-worker failed");
  });
  try {
    await Promise.race([once(process, "message", { signal }), exit]);
  } finally {
    over.abort();
    exit.catch(() => {});
  }
}

async function fill(database, ids) {
  await database.query("DROP SCHEMA IF EXISTS graphile_worker CASCADE");
  await database.query("DROP TABLE IF EXISTS outcomes");
  await database.query(
    "CREATE TABLE outcomes (business_id bigint PRIMARY KEY, request_id text, refusal text, at timestamptz NOT NULL DEFAULT now())",
  );
  const utils = await makeWorkerUtils({ preset: { worker } });
  await utils.migrate();
  await utils.release();
  await database.query(
    `SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(
       SELECT json_populate_record(NULL::graphile_worker.job_spec,
                json_build_object('identifier', 'ask', 'payload', json_build_object('business', id), 'max_attempts', 1))
       FROM unnest($1::text[]) AS id))`,
    [ids],
  );
  // As they would be in time by themselves, but at a moment when the clock stands.
  await database.query("VACUUM ANALYZE graphile_worker._private_jobs");
}

async function work() {
  const base = `${process.env.GRAPH_URL.replace(/\/$/, "")}/${process.env.GRAPH_VERSION ?? "v25.0"}`;
  const token = process.env.ACCESS_TOKEN;
  const query = new URLSearchParams({
    appsecret_proof: createHmac("sha256", process.env.META_APP_SECRET).update(token).digest("hex"),
    ...(process.env.SOLUTION_ID && { solution_id: process.env.SOLUTION_ID }),
  });
  const request = {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: "{}",
    dispatcher: new Agent({ connections: jobs }),
  };

  async function ask({ business }, { withPgClient }) {
    const answer = await (await fetch(`${base}/${business}/onboard_partners_to_mm_lite?${query}`, request)).json();
    await save(withPgClient, { business, id: answer.request_id ?? null, refusal: answer.error?.message ?? null });
  }

  process.send("ready");
  await once(process, "message");
  await runOnce({ preset: { worker }, taskList: { ask } });
  process.send("done");
  // Its idle connections would keep the process for some seconds.
  await request.dispatcher.close();
}

// Resolves once the outcome is in the database. Those of a few milliseconds are written by one statement: one for each job, as
// tasks usually do it, takes more than half as long again.
async function save(withPgClient, outcome) {
  await new Promise((resolve, reject) => {
    group.push({ ...outcome, resolve, reject });
    if (group.length === 1) setTimeout(saveGroup, 2, withPgClient);
  });
}

async function saveGroup(withPgClient) {
  const outcomes = group;
  group = [];
  try {
    await withPgClient((client) =>
      client.query({
        name: "save",
        text:
          "INSERT INTO outcomes (business_id, request_id, refusal) " +
          "SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]) ON CONFLICT (business_id) DO NOTHING",
        values: [outcomes.map((o) => o.business), outcomes.map((o) => o.id), outcomes.map((o) => o.refusal)],
      }),
    );
    for (const outcome of outcomes) outcome.resolve();
  } catch (error) {
    for (const outcome of outcomes) outcome.reject(error);
  }
}
