// HubSpot's Node SDK as its users write it: batches of a hundred, its own retries, and its own limiter
// where that is asked for. Says on its last line what it believes it has written.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const peers = join(dirname(fileURLToPath(import.meta.url)), "../../target/peers/package.json");
const { Client } = createRequire(peers)("@hubspot/api-client");

const [manner, load, count] = process.argv.slice(2);
const limiterOptions = manner === "limiter" ? { minTime: 1000 / 9, maxConcurrent: 6, id: "peer" } : undefined;
const client = new Client({
  accessToken: process.env.HUBSPOT_TOKEN,
  basePath: process.env.BASE,
  numberOfApiCallRetries: 6,
  limiterOptions,
});
// It tells of every retry on standard error.
console.error = () => {};

const KEY = "erp_key";
const told = { "said written": 0, "said refused": 0 };

function batches(items, size = 100) {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}

const numbered = (many, properties) =>
  Array.from({ length: many }, (_, at) => ({ id: `K-${at}`, idProperty: KEY, properties: { [KEY]: `K-${at}`, ...properties(at) } }));

/** Ids by key of what was written; a batch that ends in an error is written off. */
async function upsert(send, inputs) {
  const ids = {};
  const sent = batches(inputs).map(async (batch) => {
    try {
      const { results } = await send({ inputs: batch });
      for (const { id, properties } of results) ids[properties[KEY]] = id;
      told["said written"] += results.length;
    } catch {
      told["said refused"] += batch.length;
    }
  });
  await Promise.all(sent);
  return ids;
}

async function link(from, to, pairs) {
  const inputs = pairs.map(([one, other]) => ({ _from: { id: one }, to: { id: other } }));
  await client.crm.associations.v4.batchApi.createDefault(from, to, { inputs });
}

const company = (at) => ({ name: `Customer ${at}` });
const { crm } = client;
const companies = (inputs) => upsert((batch) => crm.companies.batchApi.upsert(batch), inputs);

async function sixHundred() {
  const [ours, people] = await Promise.all([
    companies(numbered(100, company)),
    upsert((batch) => crm.contacts.batchApi.upsert(batch), numbered(100, (at) => ({ email: `jo@customer${at}.example` }))),
  ]);
  const invoices = await upsert(
    (batch) => crm.objects.batchApi.upsert("invoices", batch),
    numbered(100, () => ({ hs_currency: "USD", hs_invoice_billable: "false" })),
  );
  const lines = await upsert(
    (batch) => crm.lineItems.batchApi.upsert(batch),
    numbered(300, () => ({ name: "A100", quantity: "2", price: "5.00" })),
  );
  const each = (many, pair) => Array.from({ length: many }, (_, at) => pair(at));
  await link("contacts", "companies", each(100, (at) => [people[`K-${at}`], ours[`K-${at}`]]));
  await link("invoices", "companies", each(100, (at) => [invoices[`K-${at}`], ours[`K-${at}`]]));
  await link("invoices", "contacts", each(100, (at) => [invoices[`K-${at}`], people[`K-${at}`]]));
  await link("line_items", "invoices", each(300, (at) => [lines[`K-${at}`], invoices[`K-${at % 100}`]]));
}

if (load === "six_hundred") await sixHundred();
if (load === "companies") await companies(numbered(Number(count), company));
// A number that is none: HubSpot refuses such a value.
const oneBad = numbered(100, (at) => ({ ...company(at), ...(at === 42 && { numberofemployees: "many" }) }));
if (load === "bad") await companies(oneBad);
// With these HubSpot takes the good ones and answers 207, which to the SDK is a success.
if (load === "traced") await companies(oneBad.map((input) => ({ ...input, objectWriteTraceId: input.id })));
console.log(JSON.stringify(told));
