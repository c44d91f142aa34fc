// `make demo`: the whole product on this machine, against a simulated SYSPRO
// and a simulated HubSpot, told as it happens.
//
// From the environment: CUSTOMERS (200), INVOICES (600), SEED (1), PORT (any
// free one). With ONCE=1 or --once it ends after the summary: 0 when every
// record is in sync, or failing or excluded for a reason, and a quiet tick
// asked nothing of HubSpot.

import { rmSync } from "node:fs";
import { mkdtemp, open, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Api } from "./demo/api.mjs";
import { Progress, bold, count, dim, green, heading, many, say, seconds, wrapped } from "./demo/show.mjs";
import { lookAround, summary } from "./demo/summary.mjs";
import { Problem, main, pause, untilInterrupted } from "./lib.mjs";
import { CREDENTIALS, startSimulators } from "./simulators.mjs";
import { secret, startWorker, tick } from "./worker.mjs";

const ID = "demo";
/** A load this long has gone wrong. */
const MOST_TICKS = 2000;
/** Ticks in a row that change nothing while something waits. */
const PATIENCE = 3;
/** Of a day's news, shown. */
const MOST_LINES = 15;

await main(async () => {
  const once = process.argv.includes("--once") || /^(1|true|yes)$/i.test(process.env.ONCE ?? "");
  const size = {
    customers: whole("CUSTOMERS", 200, 1, 100_000),
    invoices: whole("INVOICES", 600, 0, 1_000_000),
    seed: whole("SEED", 1, 0, Number.MAX_SAFE_INTEGER),
  };
  const port = whole("PORT", 0, 0, 65_535);
  const state = await mkdtemp(join(tmpdir(), "syspro-hubspot-demo-"));
  process.on("exit", () => rmSync(state, { recursive: true, force: true, maxRetries: 5 }));

  say(bold("SYSPRO → HubSpot sync, on this machine: nothing leaves it."));
  const site = await startAll(size, port, state);
  try {
    await story(site);
    if (once) return;
    say(`\n${dim("Everything stays up until you press Ctrl-C.")}`);
    untilInterrupted();
  } catch (error) {
    await showLog(site.log);
    throw error;
  }
  const how = await Promise.race([site.worker.ended, site.simulators.child.ended]);
  throw new Problem(`a process of the demo ended by itself (${how}): run \`make demo\` again.`);
});

function whole(name, usual, least, most) {
  const text = process.env[name] || String(usual);
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Problem(`${name} is not a whole number from ${least} to ${most}: ${text}`);
}

async function startAll(size, port, state) {
  const simulators = await startSimulators(size);
  const token = await secret(state, "ADMIN_TOKEN", "hex");
  const key = await secret(state, "MASTER_KEY", "base64");
  const hosts = [simulators.syspro, simulators.hubspot].map((url) => new URL(url).host);
  const vars = {
    ADMIN_TOKEN: token.value,
    MASTER_KEY: key.value,
    ALLOW_HTTP: "true",
    ALLOW_HOSTS: hosts.join(","),
  };
  const log = join(state, "worker.log");
  const file = await open(log, "w", 0o600);
  const { url, child } = await startWorker({ port, state, vars, stdio: ["ignore", file.fd, file.fd] });

  say(`  SYSPRO    simulated: ${many(size.customers, "customer")}, ${many(size.invoices, "invoice")}   ${dim(simulators.syspro)}`);
  say(`  HubSpot   simulated: an empty portal   ${dim(simulators.hubspot)}`);
  say(`  Worker    the built wasm in workerd, with a local D1   ${dim(url)}`);
  await file.close();
  return { api: new Api(url, token.value, simulators), simulators, worker: child, url, log };
}

/** The story itself; throws where it does not end as it should. */
async function story(site) {
  const { api } = site;
  await connect(api);

  heading("First load: cron wakes the Worker, SYSPRO is read, HubSpot is brought to the same state");
  await untilQuiet(site);

  heading("A day at the distributor");
  const day = await api.simulator("syspro", "POST", "day");
  for (const line of day.happened.slice(0, MOST_LINES)) say(`  · ${line}`);
  if (day.happened.length > MOST_LINES) say(dim(`  · and ${day.happened.length - MOST_LINES} more`));
  say();
  await untilQuiet(site);

  heading("A tick with nothing changed");
  const spent = await oneTick(site);
  say(spent === 0 ? green("  0 HubSpot calls.") : `  ${many(spent, "HubSpot call")}, where there should be none.`);

  const waiting = await summary(api, ID);
  await lookAround(api, ID);
  if (spent > 0) throw new Problem("\nA tick with nothing changed asked something of HubSpot.");
  if (waiting > 0) throw new Problem(`\n${many(waiting, "record")} still waiting: see the reasons above.`);
}

async function connect(api) {
  heading("A connection: one SYSPRO company, one HubSpot portal");
  const { token, ...credentials } = CREDENTIALS;
  const made = await api.worker("POST", "/connections", {
    id: ID,
    name: "Demo Distributor",
    syspro: {
      odata_url: `${api.simulators.syspro}/SYSPRO8Odata/SYSPROOData`,
      ...credentials,
      local_currency: "USD",
    },
    hubspot: { token, api_url: api.simulators.hubspot },
  });
  for (const { ok, name, why, remedy } of made.checks) {
    if (ok) say(`  ${green("✓")} ${name}`);
    else wrapped(`✗ ${name}: ${why} ${remedy}`, 2);
  }
  if (made.state !== "active") throw new Problem(`\nThe connection is ${made.state}: see the checks above.`);
  const { total } = await api.calls();
  say(dim(`  Set-up took ${many(total, "HubSpot call")}: properties, keys, account.`));
  await api.simulator("hubspot", "DELETE", "calls");
}

/** Ticks until one changes nothing and asks nothing of HubSpot. */
async function untilQuiet(site) {
  let still = 0;
  let before = null;
  for (let ticks = 0; ticks < MOST_TICKS; ticks++) {
    const spent = await oneTick(site);
    const now = await site.api.connection(ID);
    if (now.state !== "active") {
      throw new Problem(`\nThe connection is ${now.state}: ${now.reason?.reason ?? ""} ${now.reason?.remedy ?? ""}`);
    }
    const feeds = Object.values(now.feeds);
    const loaded = feeds.every((feed) => feed.first_sweep.done);
    if (spent === 0 && loaded && feeds.every((feed) => feed.waiting === 0)) return;
    const picture = JSON.stringify(now.feeds);
    still = spent === 0 && picture === before ? still + 1 : 0;
    if (still >= PATIENCE) return; // What waits for longer is told by the summary.
    before = picture;
  }
  throw new Problem(`\nNot quiet after ${MOST_TICKS} ticks.`);
}

/** One cron tick with its progress; answers the HubSpot calls it took. */
async function oneTick(site) {
  const { api } = site;
  site.ticks = (site.ticks ?? 0) + 1;
  const began = Date.now();
  const before = (await api.calls()).total;
  const progress = new Progress();
  const look = async () => {
    const [{ feeds }, { total }] = await Promise.all([api.connection(ID), api.calls()]);
    const parts = Object.entries(feeds).map(([name, feed]) => `${name} ${inWords(feed)}`);
    return { text: `  tick ${site.ticks}   ${parts.join("   ")}   HubSpot calls ${count(total - before)}`, spent: total - before };
  };
  let under = true;
  const ticking = tick(site.url).finally(() => (under = false));
  const watching = (async () => {
    while (under) {
      await pause(250);
      if (under) progress.now((await look()).text);
    }
  })();
  await Promise.all([ticking, watching]);
  const { text, spent } = await look();
  progress.done(`${text}   ${dim(seconds(began))}`);
  return spent;
}

function inWords({ waiting, synced, failing, excluded }) {
  const parts = [`${count(synced)} in sync`];
  if (waiting > 0) parts.push(`${count(waiting)} waiting`);
  if (failing > 0) parts.push(`${count(failing)} failing`);
  if (excluded > 0) parts.push(`${count(excluded)} excluded`);
  return parts.join(", ");
}

async function showLog(log) {
  const lines = (await readFile(log, "utf8").catch(() => "")).trimEnd().split("\n").slice(-30);
  console.error(`\nThe Worker's log ended with:\n${lines.map((line) => `  ${line}`).join("\n")}\n`);
}
