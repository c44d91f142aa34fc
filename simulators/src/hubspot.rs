//! HubSpot: one portal, as its API shows it, and as people change it behind the API's back.
//!
//! [`Portal::answer`] is what HubSpot would do and say at this instant; [`Portal::exchange`] adds
//! the faults on the schedule. What HubSpot's documentation leaves open is a switch in
//! [`Options`].

mod account;
mod associations;
mod batch;
mod errors;
mod faults;
mod groups;
mod invoices;
mod kinds;
mod linking;
mod links;
mod objects;
mod options;
mod people;
mod properties;
mod rates;
mod records;
mod routes;
mod schema;
mod search;
mod shadows;
mod standard;
#[cfg(test)]
mod tests;
mod values;
mod wire;
mod write;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub use faults::{Exchange, Fault, Limit, Rule};
pub use kinds::Kind;
pub use objects::{Id, Landing, Object};
pub use options::{BadPair, Limits, OAuthApp, Options, PortalRule, TakenEmail, TakenValue, Token};
pub use schema::{Property, Type};

use crate::{Millis, Request, Response};
use errors::Refusal;
use faults::Schedule;
use objects::Store;
use rates::Rates;
use routes::{Route, Run};
use schema::Schema;
use wire::{Call, Reply, Version};

/// One portal.
pub struct Portal {
    crm: Crm,
    rates: Rates,
    faults: Schedule,
    calls: BTreeMap<String, u64>,
    count: u64,
}

/// What a call may look at and change; the trunk of every handler.
struct Crm {
    options: Options,
    schema: Schema,
    store: Store,
    rng: fastrand::Rng,
}

impl Portal {
    pub fn new(seed: u64, options: Options) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut store = Store::new(rng.u64(100_000..900_000), options.unique_case_matters);
        store.make_unique(Kind::Contact, "email".into());
        Portal {
            rates: Rates::new(&options),
            faults: Schedule::default(),
            calls: BTreeMap::new(),
            count: 0,
            crm: Crm {
                schema: Schema::new(options.invoice_amounts_writable),
                options,
                store,
                rng,
            },
        }
    }

    /// What HubSpot does and answers at this instant, faults apart.
    pub fn answer(&mut self, now: Millis, request: &Request) -> Response {
        let route = routes::route(request);
        let label = match &route {
            Ok(route) => route.label.clone(),
            Err(_) => format!("{} {}", request.method(), request.uri().path()),
        };
        self.count += 1;
        *self.calls.entry(label).or_default() += 1;
        let reply = match route {
            Ok(route) => self.run(now, request, route),
            Err(refusal) => Reply::refused(refusal),
        };
        self.finish(reply)
    }

    fn run(&mut self, now: Millis, request: &Request, route: Route) -> Reply {
        let call = Call::new(now, self.count, route.version, request);
        self.crm.store.begin();
        if call.length > self.crm.options.max_url {
            return Reply::refused(Refusal::bare(414, "URI Too Long"));
        }
        if matches!(route.run, Run::Token) {
            return self.crm.token(&call);
        }
        self.rates.follow(&self.crm.options);
        let token = match self.authenticate(now, request) {
            Ok(token) => token,
            Err(refusal) => return Reply::refused(refusal),
        };
        let oauth = token.oauth;
        let of_invoices = |part| Kind::named(part) == Some(Kind::Invoice);
        if !self.crm.options.has_invoices && call.path.split('/').any(of_invoices) {
            let why = "Unable to infer object type from: invoices";
            return Reply::refused(Refusal::invalid(why));
        }
        let allowed = account::check_scopes(token, route.need);
        let mut reply = match self.rates.take(now, route.lane) {
            Ok(()) => match (allowed, route.run) {
                (Err(refusal), _) => Reply::refused(refusal),
                (Ok(()), Run::Crm(run)) => run(&mut self.crm, &call).unwrap_or_else(Reply::refused),
                (Ok(()), Run::Usage | Run::Token) => self.daily_usage(now),
            },
            Err(policy) => self.limited(now, policy),
        };
        for (name, value) in self.rates.headers(now, route.lane, oauth) {
            reply = reply.header(name, value);
        }
        reply
    }

    fn limited(&self, now: Millis, policy: rates::Policy) -> Reply {
        let reply = Reply::refused(rates::refusal(policy, self.crm.options.portal_id));
        if !self.crm.options.retry_after {
            return reply;
        }
        let wait = rates::retry_after(policy, now, self.rates.usage().1);
        reply.header("retry-after", wait.to_string())
    }

    fn finish(&mut self, reply: Reply) -> Response {
        if reply.status == 429 {
            *self.calls.entry("429".into()).or_default() += 1;
        }
        let (high, low) = (self.crm.rng.u64(..), self.crm.rng.u64(..));
        let correlation = format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        );
        reply.into_response(correlation)
    }

    /// Puts a fault on the schedule.
    pub fn add_fault(&mut self, rule: Rule) {
        self.faults.add(rule);
    }

    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Draws the fault that is due for this request, without doing the request.
    pub fn fault_for(&mut self, _now: Millis, request: &Request) -> Option<Fault> {
        self.faults.draw(request)
    }

    /// [`Portal::answer`] with the fault that is due, if any.
    pub fn exchange(&mut self, now: Millis, request: &Request) -> Exchange {
        match self.fault_for(now, request) {
            Some(fault) => self.suffer(now, request, &fault),
            None => Exchange::Answer(self.answer(now, request)),
        }
    }

    /// Does the request as this fault lets it; what takes time is left to the caller.
    pub fn suffer(&mut self, now: Millis, request: &Request, fault: &Fault) -> Exchange {
        if let Some(reply) = fault.refusal(self.crm.options.portal_id, now) {
            let label = routes::route(request).map_or_else(|_| String::new(), |r| r.label);
            *self.calls.entry(label).or_default() += 1;
            return Exchange::Answer(self.finish(reply));
        }
        match *fault {
            Fault::Drop => Exchange::Dropped { done: false },
            Fault::Late { ms } => Exchange::DroppedThenDone { late_ms: ms },
            Fault::LoseAnswer => {
                self.answer(now, request);
                Exchange::Dropped { done: true }
            }
            Fault::DoneBut { status } => {
                self.answer(now, request);
                Exchange::Answer(self.finish(faults::page(status)))
            }
            Fault::Cut { bytes } => {
                let mut response = self.answer(now, request);
                let whole = response.body().len();
                response.body_mut().truncate(bytes);
                Exchange::Cut { response, whole }
            }
            Fault::Delay { ms } => Exchange::Delayed {
                ms,
                response: self.answer(now, request),
            },
            _ => Exchange::Answer(self.answer(now, request)),
        }
    }

    pub fn options(&self) -> &Options {
        &self.crm.options
    }

    /// Changes how the portal behaves from now on. Whether case matters and which amounts are
    /// writable stays as it was at the start.
    pub fn options_mut(&mut self) -> &mut Options {
        &mut self.crm.options
    }

    /// Records of a kind by growing id, archived ones included.
    pub fn objects(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.crm.store.all(kind)
    }

    pub fn object(&self, kind: Kind, id: Id) -> Option<&Object> {
        self.crm.store.get(kind, id)
    }

    /// The live record an id leads to: itself, or what it was merged into.
    pub fn survivor(&self, kind: Kind, id: Id) -> Option<&Object> {
        self.crm.store.survivor(kind, id)
    }

    /// The live record that holds a unique value.
    pub fn by_value(&self, kind: Kind, property: &str, value: &str) -> Option<&Object> {
        self.crm.store.by_value(kind, property, value)
    }

    /// What a record is linked to, with the types of each link.
    pub fn associations(&self, kind: Kind, id: Id, to: Kind) -> Vec<(Id, Vec<u16>)> {
        let links = self.crm.store.links().of((kind, id), to);
        links.map(|(id, types)| (id, types.to_vec())).collect()
    }

    pub fn properties(&self, kind: Kind) -> impl Iterator<Item = &Property> {
        self.crm.schema.of(kind).properties.values()
    }

    /// Every record written by a call, in the order in which they landed.
    pub fn landings(&self) -> &[Landing] {
        &self.crm.store.landings
    }

    /// Calls by what they were (`POST companies/batch/upsert`), and how many were told `429`.
    pub fn calls(&self) -> &BTreeMap<String, u64> {
        &self.calls
    }

    pub fn reset_calls(&mut self) {
        self.calls.clear();
    }

    /// Every record with its properties and links, for comparisons: no times, no counts.
    pub fn state(&self) -> Value {
        let kinds = Kind::ALL.map(|kind| {
            let objects = self.objects(kind).map(|object| {
                let links = Kind::ALL.map(|to| (to, self.associations(kind, object.id, to)));
                let links: BTreeMap<&str, BTreeMap<String, Vec<u16>>> = links
                    .into_iter()
                    .filter(|(_, ends)| !ends.is_empty())
                    .map(|(to, ends)| {
                        let ends = ends.into_iter().map(|(id, types)| (id.to_string(), types));
                        (to.plural(), ends.collect())
                    })
                    .collect();
                let properties: BTreeMap<&str, &String> =
                    object.properties.iter().map(|(k, v)| (&**k, v)).collect();
                let shown = json!({
                    "properties": properties,
                    "archived": object.archived,
                    "associations": links,
                });
                (object.id.to_string(), shown)
            });
            (kind.plural(), objects.collect::<BTreeMap<_, _>>())
        });
        json!(BTreeMap::from(kinds))
    }
}
