// What the scripts share: processes that never outlive us, free ports, waiting
// for an HTTP server.

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** A sentence for whoever ran the command; anything else thrown is our mistake and keeps its stack. */
export class Problem extends Error {}

/** Runs a script's main function: problems end it with one line, and children always end with it. */
export async function main(script) {
  let code = 0;
  try {
    await script();
  } catch (error) {
    if (stopping) return; // what fails because we are being stopped is no news
    console.error(error instanceof Problem ? error.message : error);
    code = 1;
  }
  await stopAll();
  process.exit(code);
}

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
const children = new Set();
let stopping = null;

/** From here on Ctrl-C is how it is meant to end, not a failure. */
export function untilInterrupted() {
  SIGNALS.SIGINT = 0;
}

// wrangler starts workerd, which starts helpers: signals go to the whole group.
function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
    return true;
  } catch {
    return false;
  }
}

for (const signal of Object.keys(SIGNALS)) {
  process.on(signal, () => stopAll().then(() => process.exit(SIGNALS[signal])));
}
process.on("exit", () => children.forEach((child) => signalGroup(child, "SIGKILL")));
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});

/** Starts a program in a process group of its own. `stdio` as in node's spawn. */
export function start(command, args, { env = {}, stdio = "ignore", cwd = root } = {}) {
  const child = spawn(command, args, { cwd, stdio, detached: true, env: { ...process.env, ...env } });
  child.ended = new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("exit", (code, signal) => resolve(signal ?? `code ${code}`));
  });
  if (child.pid) children.add(child);
  return child;
}

/** Runs a program to its end and returns what it printed; a failure is a Problem that shows it. */
export async function run(command, args, options = {}) {
  const child = start(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  let complained = "";
  child.stdout?.on("data", (chunk) => (printed += chunk));
  child.stderr?.on("data", (chunk) => (complained += chunk));
  const how = await child.ended;
  children.delete(child);
  if (how !== "code 0") throw new Problem(`${command} ${args.join(" ")} ended with ${how}\n${printed}${complained}`);
  return printed;
}

/** Ends every child and all that it started: asks, then insists. */
export function stopAll() {
  stopping ??= (async () => {
    const alive = () => [...children].filter((child) => signalGroup(child, 0));
    for (const child of alive()) signalGroup(child, "SIGTERM");
    const deadline = Date.now() + 5000;
    while (alive().length > 0 && Date.now() < deadline) await pause(50);
    for (const child of alive()) signalGroup(child, "SIGKILL");
    children.clear();
  })();
  return stopping;
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A port nobody listens on: the wanted one, or any when that is 0. */
export function freePort(wanted = 0) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", ({ code }) => reject(new Problem(`port ${wanted} cannot be used (${code}): choose another.`)));
    server.listen(wanted, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Waits until `url` answers anything at all, or `child` ends, or time is up. */
export async function untilAnswers(url, child, within = 60_000) {
  const deadline = Date.now() + within;
  let ended = null;
  child.ended.then((how) => (ended = how));
  while (Date.now() < deadline) {
    if (ended !== null) throw new Problem(`the process behind ${url} ended with ${ended}`);
    try {
      await (await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(5000) })).arrayBuffer();
      return;
    } catch {
      await pause(100);
    }
  }
  throw new Problem(`${url} did not answer within ${within / 1000} s`);
}
