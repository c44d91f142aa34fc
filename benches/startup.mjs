// The size of the built wasm, and how long workerd takes from its start to the first answer of the
// Worker, beside a Worker that holds nothing: the difference is the Worker's own start-up.

import { readFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";

const build = join(dirname(dirname(fileURLToPath(import.meta.url))), "build");
const wasm = await readFile(join(build, "index_bg.wasm"));
const script = await readFile(join(build, "index.js"), "utf8");

const ours = [
  { type: "ESModule", path: join(build, "index.js"), contents: script },
  { type: "CompiledWasm", path: join(build, "index_bg.wasm"), contents: wasm },
];
const empty = [
  { type: "ESModule", path: join(build, "empty.js"), contents: "export default { fetch: () => new Response() };" },
];

async function firstAnswer(modules) {
  const began = performance.now();
  const worker = new Miniflare({ modules, modulesRoot: build, compatibilityDate: "2026-04-01", host: "127.0.0.1", port: 0 });
  try {
    // Misconfigured as it is here, it answers so: it has started.
    await (await worker.dispatchFetch("http://worker.example/health")).arrayBuffer();
    return performance.now() - began;
  } finally {
    await worker.dispose();
  }
}

async function median(modules) {
  const times = [];
  for (let round = 0; round < 5; round += 1) times.push(await firstAnswer(modules));
  return Math.round(times.sort((a, b) => a - b)[2]);
}

// As `make test-workerd` weighs it.
const gzip = execFileSync("gzip", ["-c", join(build, "index_bg.wasm")], { maxBuffer: 64_000_000 }).length;
const empty_ms = await median(empty);
const ours_ms = await median(ours);
console.log(JSON.stringify({ raw: wasm.length, gzip, ours_ms, empty_ms }));
