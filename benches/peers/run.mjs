// `make bench-peers`: what installs from a public registry and can be pointed at the simulated HubSpot,
// on the same loads, side by side with the sync's own figures from target/bench.json.
//
// Each peer is installed into target/peers. One that cannot be is skipped and named. Peers know
// HubSpot's older paths: a relay on loopback translates those, and nothing else.

import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { main, root, run } from "../../scripts/lib.mjs";
import { CREDENTIALS, startSimulators } from "../../scripts/simulators.mjs";

const HOME = join(root, "target/peers");
const VENV = join(HOME, "venv");
const HERE = join(root, "benches/peers");
const KINDS = ["companies", "contacts", "invoices", "line_items"];

const PEERS = [
  {
    name: "HubSpot's Node SDK (@hubspot/api-client), 6 retries",
    install: () => npm("@hubspot/api-client"),
    command: [process.execPath, join(HERE, "node-sdk.mjs"), "retries"],
    companies: 30_000,
    traces: true,
  },
  {
    name: "the same with its limiter, 9 a second and 6 at once",
    install: () => npm("@hubspot/api-client"),
    command: [process.execPath, join(HERE, "node-sdk.mjs"), "limiter"],
    companies: 30_000,
    traces: true,
  },
  {
    name: "drt-core, HubSpot destination",
    install: python,
    command: [join(VENV, "bin/python"), join(HERE, "drt_load.py")],
    // One call for each record, nine a second: thirty thousand would take an hour.
    companies: 300,
  },
];

const LOADS = [
  ["six_hundred", "first load, 600 objects"],
  ["again", "the same again, nothing changed"],
  ["companies", "companies alone"],
  ["bad", "one bad row in a hundred"],
  ["traced", "the same, with trace ids"],
];

async function npm(name) {
  if (existsSync(join(HOME, "node_modules", name))) return;
  await run("npm", ["install", "--prefix", HOME, "--no-audit", "--no-fund", name]);
}

async function python() {
  if (existsSync(join(VENV, "bin/drt"))) return;
  await run("python3", ["-m", "venv", VENV]);
  await run(join(VENV, "bin/pip"), ["install", "--quiet", "drt-core"]);
}

/** `/crm/v3/objects/…` is `/crm/objects/2026-09/…` by now, and so on; answers where it listens. */
function relay(to) {
  const server = createServer((asked, answer) => {
    const path = asked.url.replace(/^\/crm\/v\d\/(objects|associations)\//, "/crm/$1/2026-09/");
    const passed = request(to + path, { method: asked.method, headers: asked.headers }, (said) => {
      answer.writeHead(said.statusCode, said.headers);
      said.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    asked.pipe(passed);
  });
  return new Promise((done) => {
    server.listen(0, "127.0.0.1", () => done({ url: `http://127.0.0.1:${server.address().port}`, server }));
  });
}

async function ask(url, method = "GET", body = undefined) {
  const headers = { authorization: `Bearer ${CREDENTIALS.token}`, "content-type": "application/json" };
  const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** The unique property by which records are told apart, as an administrator would make it. */
async function provide(hubspot) {
  for (const kind of KINDS) {
    const properties = `${hubspot}/crm/properties/2026-09/${kind}`;
    await ask(`${properties}/groups`, "POST", { name: "erp", label: "ERP" });
    const key = { name: "erp_key", label: "Key", type: "string", fieldType: "text", groupName: "erp", hasUniqueValue: true };
    await ask(properties, "POST", key);
  }
}

async function measure(peer) {
  const figures = {};
  let simulated;
  let translated;
  for (const [load] of LOADS) {
    if (load === "traced" && !peer.traces) continue;
    if (load !== "again") {
      simulated?.child.kill("SIGTERM");
      translated?.server.close();
      simulated = await startSimulators({ customers: 1, invoices: 0, seed: 1 });
      await provide(simulated.hubspot);
      translated = await relay(simulated.hubspot);
    }
    await ask(`${simulated.hubspot}/_sim/calls`, "DELETE");
    const [command, ...args] = peer.command;
    const env = { BASE: translated.url, HUBSPOT_TOKEN: CREDENTIALS.token };
    const began = performance.now();
    const said = await run(command, [...args, load === "again" ? "six_hundred" : load, String(peer.companies)], { env });
    const seconds = (performance.now() - began) / 1000;
    const { 429: refused = 0, ...calls } = await ask(`${simulated.hubspot}/_sim/calls`);
    const state = await ask(`${simulated.hubspot}/_sim/state`);
    const live = KINDS.map((kind) => Object.values(state[kind]).filter((it) => !it.archived).length);
    figures[load] = {
      calls: Object.values(calls).reduce((sum, count) => sum + count, 0),
      "× 429": refused,
      stored: live.reduce((sum, count) => sum + count, 0),
      ...JSON.parse(said.trim().split("\n").at(-1)),
      s: Math.round(seconds),
    };
  }
  simulated.child.kill("SIGTERM");
  translated.server.close();
  return figures;
}

function show(name, figures) {
  console.log(`\n${name}`);
  for (const [load, title] of LOADS) {
    if (!figures[load]) continue;
    const shown = Object.entries(figures[load]).map(([what, value]) => `${value} ${what}`);
    console.log(`    ${`${title}:`.padEnd(34)} ${shown.join(" · ")}`);
  }
}

/** Our own, as `make bench` left them. */
async function ours() {
  const file = join(root, "target/bench.json");
  if (!existsSync(file)) return null;
  const { figures } = JSON.parse(await readFile(file, "utf8"));
  const named = (name) => figures.find((figure) => figure.name === name)?.values;
  const from = (values, names) => values && Object.fromEntries(names.map(([to, name]) => [to, values[name]]));
  return {
    six_hundred: from(named("first load"), [["calls", "HubSpot calls"]]),
    again: from(named("quiet tick"), [["calls", "HubSpot calls"]]),
    companies: from(named("190 in 10 s"), [["calls", "calls"], ["× 429", "× 429"], ["stored", "companies stored"]]),
    bad: named("one bad row in a hundred, the batch refused whole"),
    traced: named("one bad row in a hundred, answered 207"),
  };
}

await main(async () => {
  await mkdir(HOME, { recursive: true });
  console.log("The same loads against the same simulated HubSpot (190 calls in 10 s), over HTTP on loopback.");
  const own = await ours();
  if (own) show("this sync (make bench; simulated time)", own);
  else console.log("\nthis sync: no target/bench.json: run `make bench` first");
  for (const peer of PEERS) {
    try {
      await peer.install();
    } catch (problem) {
      console.log(`\n${peer.name}: skipped, it cannot be installed here: ${problem.message.split("\n")[0]}`);
      continue;
    }
    show(peer.name, await measure(peer));
  }
});
