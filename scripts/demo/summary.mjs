// Where everything is at the end of the demo, what it cost, and how to ask for more.

import { bold, count, dim, heading, many, say, table, wrapped, yellow } from "./show.mjs";

const NAMES = { waiting: "Waiting", synced: "In sync", failing: "Failing", excluded: "Excluded" };
const STATUSES = Object.keys(NAMES);

/** Prints the state of every feed and why; answers how many records still wait. */
export async function summary(api, id) {
  const { feeds } = await api.connection(id);
  heading("Where every record is");
  const rows = Object.entries(feeds).map(([name, feed]) => [name, ...STATUSES.map((status) => count(feed[status]))]);
  table([["", ...Object.values(NAMES)], ...rows]);
  await leftAlone(api, id, feeds);
  await why(api, id, feeds);
  await spent(api);
  return Object.values(feeds).reduce((sum, feed) => sum + feed.waiting, 0);
}

/** What SYSPRO holds and the Worker has no reason to read. */
async function leftAlone(api, id, feeds) {
  const { ArInvoice } = await api.simulator("syspro", "GET", "state?table=ArInvoice");
  const { waiting, synced, failing, excluded } = feeds.invoices;
  const gone = await vanished(api, id);
  const old = ArInvoice.length - (waiting + synced + failing + excluded - gone);
  if (old > 0) say(dim(`  SYSPRO also holds ${many(old, "invoice")} paid and older than history_days (400): left alone.`));
}

/** Invoices in HubSpot whose rows SYSPRO has purged. */
async function vanished(api, id) {
  let gone = 0;
  let cursor = "";
  do {
    const page = await api.worker("GET", `/connections/${id}/records?feed=invoices&limit=200${cursor}`);
    gone += page.records.filter((record) => record.gone_at !== null).length;
    cursor = page.next === null ? null : `&cursor=${encodeURIComponent(page.next)}`;
  } while (cursor !== null);
  return gone;
}

async function why(api, id, feeds) {
  const reasons = Object.entries(feeds).flatMap(([name, feed]) => feed.reasons.map((reason) => ({ name, ...reason })));
  if (reasons.length === 0) return;
  heading("Why");
  for (const { name, status, code, example, records } of reasons) {
    const fate = status === "synced" ? "in sync, with a warning" : NAMES[status].toLowerCase();
    say(`  ${yellow(`${many(records, name.slice(0, -1), name)} ${fate}`)} ${dim(code)}`);
    wrapped(example, 4);
    const remedy = await remedyOf(api, id, name, status, code);
    if (remedy) wrapped(`→ ${remedy}`, 4);
  }
}

async function remedyOf(api, id, feed, status, code) {
  const { records } = await api.worker("GET", `/connections/${id}/records?feed=${feed}&status=${status}&limit=200`);
  return records.find((record) => record.reason?.code === code)?.reason.remedy;
}

async function spent(api) {
  const { endpoints, throttled, total } = await api.calls();
  heading(`HubSpot calls, set-up apart: ${count(total)}`);
  const sorted = Object.entries(endpoints).sort(([, a], [, b]) => b - a);
  const width = Math.max(...sorted.map(([, calls]) => count(calls).length));
  for (const [endpoint, calls] of sorted) say(`  ${count(calls).padStart(width)}  ${endpoint}`);
  say(dim(`  ${throttled === 0 ? "None was" : `${count(throttled)} were`} answered 429 (too many calls).`));
}

/** Lines to paste into another terminal. */
export async function lookAround(api, id) {
  const at = `${api.url}/connections/${id}`;
  const key = await someInvoice(api, id);
  const encoded = key.split("/").map(encodeURIComponent).join("/");
  heading("Look around, from another terminal");
  say(`  export AUTH='Authorization: Bearer ${api.token}'\n`);
  const lines = [
    ["the connection: state, checks, counts, reasons", `curl -s -H "$AUTH" '${at}'`],
    ["records that fail, each with its reason and remedy", `curl -s -H "$AUTH" '${at}/records?status=failing'`],
    ["one invoice: its HubSpot objects, links and attempts", `curl -s -H "$AUTH" '${at}/records/invoices/${encoded}'`],
    ["the audit: every write and what HubSpot said", `curl -s -H "$AUTH" '${at}/audit?limit=5'`],
    ["the runs that did something", `curl -s -H "$AUTH" '${at}/runs?limit=3'`],
    ["another day in SYSPRO, then a tick", `curl -s -X POST ${api.simulators.syspro}/_sim/day; curl -s '${api.url}/__scheduled?cron=*/5+*+*+*+*'`],
    ["all that the simulated HubSpot holds, and SYSPRO's tables", `curl -s ${api.simulators.hubspot}/_sim/state; curl -s '${api.simulators.syspro}/_sim/state?table=ArCustomer'`],
  ];
  for (const [what, line] of lines) say(`  ${dim(`# ${what}`)}\n  ${line}`);
  say(`\n  ${bold("Append")} \`| python3 -m json.tool\` ${bold("to any of them")} for indented JSON.`);
}

async function someInvoice(api, id) {
  const { records } = await api.worker("GET", `/connections/${id}/records?feed=invoices&status=synced&limit=1`);
  return records[0]?.key ?? "KEY";
}
