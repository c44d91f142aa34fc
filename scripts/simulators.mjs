// The simulated SYSPRO and HubSpot, as processes: `make simulators` builds them.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Problem, run, start } from "./lib.mjs";

/** What the simulators accept unless told otherwise. */
export const CREDENTIALS = {
  company: "EDU1",
  odata_username: "SVC",
  odata_password: "odata-pass",
  token: "pat-na1-00000000-0000-4000-8000-000000000001",
};

/** Starts both and answers their base URLs. They end with us: their standard input is ours to close. */
export async function startSimulators({ customers, invoices, seed }) {
  const metadata = await run("cargo", ["metadata", "--no-deps", "--offline", "--format-version", "1"]);
  const binary = join(JSON.parse(metadata).target_directory, "debug/simulators");
  if (!existsSync(binary)) throw new Problem(`${binary} is missing: run \`make simulators\` first.`);
  const words = ["--customers", customers, "--invoices", invoices, "--seed", seed, "--until-eof"];
  const child = start(binary, words.map(String), { stdio: ["pipe", "pipe", "inherit"] });
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = await Promise.race([said.next(), child.ended]);
  if (!line.value) throw new Problem("the simulators did not start: see above.");
  return { ...JSON.parse(line.value), child };
}
