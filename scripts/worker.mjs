// The built Worker on this machine: workerd under `wrangler dev`, a local D1
// in a folder of its own, the cron handler at /__scheduled.

import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { get } from "node:http";
import { join } from "node:path";
import { Problem, freePort, root, run, start, untilAnswers } from "./lib.mjs";

const WRANGLER = join(root, "node_modules/wrangler/bin/wrangler.js");
const QUIET = {
  CI: "1",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

/**
 * Migrates the D1 in `state` and starts the Worker on it.
 * `vars` are what the Worker sees beside wrangler.toml; `stdio` is where its log goes.
 * Without the queue a cron call ends when all its runs have: with it, at once.
 */
export async function startWorker({ port, state, vars, queue = false, stdio = "ignore" }) {
  if (!existsSync(join(root, "build/index.js"))) {
    throw new Problem("build/index.js is missing: run `make build` first.");
  }
  const at = await freePort(port);
  await mkdir(state, { recursive: true, mode: 0o700 });
  await wrangler(["d1", "migrations", "apply", "DB", "--local", "--persist-to", state]);

  // wrangler looks for .dev.vars beside its configuration and prefers it to
  // --env-file. With a copy of its own the environment has the last word.
  const config = join(state, "wrangler.toml");
  const deployed = await readFile(join(root, "wrangler.toml"), "utf8");
  const sections = deployed.split(/^(?=\[)/m);
  await writeFile(config, sections.filter((section) => queue || !section.startsWith("[[queues.")).join(""));
  const secrets = join(state, "vars.env");
  await writePrivate(secrets, envFile(vars));

  const url = `http://127.0.0.1:${at}`;
  const child = start(
    process.execPath,
    [
      WRANGLER, "dev", join(root, "build/index.js"),
      "--config", config, "--env-file", secrets, "--persist-to", state,
      "--ip", "127.0.0.1", "--port", String(at), "--inspector-port", String(await freePort()),
      "--test-scheduled", "--show-interactive-dev-session=false",
    ],
    { env: QUIET, stdio },
  );
  await untilAnswers(`${url}/health`, child);
  return { url, child };
}

/** Runs one cron tick and returns when the handler is done, which may take its 15 minutes: `fetch` gives up sooner. */
export function tick(url) {
  return new Promise((resolve, reject) => {
    const asked = get(`${url}/__scheduled?cron=${encodeURIComponent("*/5 * * * *")}`, (answer) => {
      let said = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk) => (said += chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        if (answer.statusCode === 200) resolve();
        else reject(new Problem(`the cron handler failed: ${said}`));
      });
    });
    asked.on("error", ({ message }) => reject(new Problem(`the cron handler did not answer: ${message}`)));
  });
}

/** A secret of this state folder: from the environment, else the one made for it earlier, else a new one. */
export async function secret(state, name, encoding) {
  if (process.env[name]) return { value: process.env[name], fresh: false };
  const path = join(state, name.toLowerCase());
  if (existsSync(path)) return { value: (await readFile(path, "utf8")).trim(), fresh: false };
  const value = randomBytes(32).toString(encoding);
  await mkdir(state, { recursive: true, mode: 0o700 });
  await writePrivate(path, `${value}\n`);
  return { value, fresh: true };
}

function wrangler(args) {
  return run(process.execPath, [WRANGLER, ...args], { env: QUIET });
}

async function writePrivate(path, text) {
  await writeFile(path, text, { mode: 0o600 });
  await chmod(path, 0o600);
}

// wrangler reads this the dotenv way: no escapes inside single quotes, but $NAME is expanded.
function envFile(vars) {
  return Object.entries(vars)
    .map(([name, value]) => {
      if (/['\n\r]/.test(value)) throw new Problem(`${name} must not contain a quote or a line break.`);
      return `${name}='${value.replaceAll("$", "\\$")}'\n`;
    })
    .join("");
}
