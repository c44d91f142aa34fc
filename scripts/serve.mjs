// `make serve`: the Worker alone, for any SYSPRO and HubSpot base URL.
//
// From the environment: PORT (8787; 0 takes a free one), STATE (where the
// local D1 lives), ADMIN_TOKEN and MASTER_KEY (made and kept in STATE when
// absent), MASTER_KEY_PREVIOUS, ALLOW_HTTP, ALLOW_HOSTS; MAX_ROWS and MAX_CALLS
// as in wrangler.toml; QUEUE=off for a deployment that has none.
// With --until-eof it also stops when its standard input ends, so that a test
// that dies leaves nothing behind.

import { resolve } from "node:path";
import { Problem, main, root, untilInterrupted } from "./lib.mjs";
import { secret, startWorker } from "./worker.mjs";

await main(async () => {
  const { PORT = "8787", STATE = ".wrangler/serve" } = process.env;
  const { MASTER_KEY_PREVIOUS = "", ALLOW_HTTP = "", ALLOW_HOSTS = "", QUEUE = "on" } = process.env;
  const { MAX_ROWS = "", MAX_CALLS = "" } = process.env;
  if (!["on", "off"].includes(QUEUE)) throw new Problem(`QUEUE is neither on nor off: ${QUEUE}`);
  if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65535) throw new Problem(`PORT is not a port: ${PORT}`);
  const state = resolve(root, STATE);
  const token = await secret(state, "ADMIN_TOKEN", "hex");
  const key = await secret(state, "MASTER_KEY", "base64");

  const secrets = { ADMIN_TOKEN: token.value, MASTER_KEY: key.value, MASTER_KEY_PREVIOUS };
  const vars = { ...secrets, ALLOW_HTTP, ALLOW_HOSTS, MAX_ROWS, MAX_CALLS };
  const stdio = ["ignore", "inherit", "inherit"];
  const { url, child } = await startWorker({ port: Number(PORT), state, vars, queue: QUEUE === "on", stdio });

  console.log(`serving ${url}`);
  if (token.fresh) console.log(`ADMIN_TOKEN ${token.value} (kept in ${STATE}/admin_token)`);
  console.log(`one cron tick: curl '${url}/__scheduled?cron=*/5+*+*+*+*'`);
  console.log("Ctrl-C stops it.");
  untilInterrupted();

  const ends = [child.ended];
  if (process.argv.includes("--until-eof")) {
    ends.push(new Promise((done) => process.stdin.resume().on("end", () => done(null))));
  }
  const how = await Promise.race(ends);
  if (how !== null) throw new Problem(`wrangler dev ended with ${how}`);
});
