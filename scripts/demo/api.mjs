// What the demo asks: the Worker's API with the admin token, and the simulators' own `/_sim/` routes.

import { Problem } from "../lib.mjs";

export class Api {
  constructor(url, token, simulators) {
    Object.assign(this, { url, token, simulators });
  }

  /** One call of the Worker's API; anything but success is a problem in the API's own words. */
  async worker(method, path, body) {
    const answer = await this.#ask(`${this.url}${path}`, method, body, { authorization: `Bearer ${this.token}` });
    if (answer.ok) return answer.body;
    const { message = "no reason given", remedy = "", details } = answer.body?.error ?? {};
    const more = details ? `\n${JSON.stringify(details, null, 2)}` : "";
    throw new Problem(`${method} ${path} was answered ${answer.status}: ${message} ${remedy}${more}`);
  }

  async simulator(side, method, path, body) {
    const answer = await this.#ask(`${this.simulators[side]}/_sim/${path}`, method, body);
    if (answer.ok) return answer.body;
    throw new Problem(`the simulated ${side} answered ${method} ${path} with ${answer.status}`);
  }

  /** Calls the portal got so far, by endpoint. */
  async calls() {
    const { 429: throttled = 0, ...endpoints } = await this.simulator("hubspot", "GET", "calls");
    const total = Object.values(endpoints).reduce((sum, calls) => sum + calls, 0);
    return { endpoints, throttled, total };
  }

  async connection(id) {
    return this.worker("GET", `/connections/${id}`);
  }

  async #ask(url, method, body, headers = {}) {
    const answer = await fetch(url, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(120_000),
    });
    const text = await answer.text();
    try {
      return { ok: answer.ok, status: answer.status, body: text === "" ? null : JSON.parse(text) };
    } catch {
      return { ok: false, status: answer.status, body: null };
    }
  }
}
