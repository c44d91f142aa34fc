//! What the portal and its token allow of each kind of object, and what the sync does without.
//!
//! Companies and contacts are needed. Without invoices customers are synced, without the right to
//! make properties on line items these go without our key, and without deals no invoice is linked to
//! one. Each is believed by what HubSpot answers, never by the list of scopes alone; no answer proves
//! nothing.

use futures_util::{StreamExt, stream};

use super::{
    Check,
    check::AGAIN,
    portal::api,
    provision::{self, Ready, Wrong},
};
use crate::{
    connection::Connection,
    fault::{Fault, System},
    hubspot::{
        Kind,
        account::Without,
        body, objects,
        properties::Property,
        scopes::{self, Use},
    },
    pace::Lane,
    platform::Platform,
    send::{Effect, Halt, Sender},
    sorted::SortedSet,
};

/// Looked at side by side. Six connections are all there are, and SYSPRO is asked meanwhile.
const WIDTH: usize = 2;

type Scopes = SortedSet<String>;

/// What was learned of one kind.
pub struct Looked {
    kind: Kind,
    made: Result<Ready, Halt>,
    /// The scopes its properties cannot be read or made without, where HubSpot forbids it.
    no_properties: Option<Scopes>,
    /// The same of its records; a halt where it was not found out.
    no_records: Result<Option<Scopes>, Halt>,
    /// Whether the token has the scopes is not known.
    unproven: bool,
}

/// Makes our properties on every kind; `granted` is what the token says it may.
pub async fn look<P: Platform>(
    sender: &Sender<'_, P>,
    connection: &Connection,
    granted: Option<&Scopes>,
) -> Vec<Looked> {
    // All is read before anything is made: should the time not do, what is missing is known.
    let listed: Vec<_> = stream::iter(Kind::ALL)
        .map(async |kind| (kind, provision::list(sender, connection, kind).await))
        .buffered(WIDTH)
        .collect()
        .await;
    stream::iter(listed)
        .map(|(kind, there)| one(sender, connection, kind, there, granted))
        .buffered(WIDTH)
        .collect()
        .await
}

async fn one<P: Platform>(
    sender: &Sender<'_, P>,
    connection: &Connection,
    kind: Kind,
    there: Result<Vec<Property>, Halt>,
    granted: Option<&Scopes>,
) -> Looked {
    let made = match there {
        Ok(there) => provision::provision(sender, connection, kind, there).await,
        Err(halt) => Err(halt),
    };
    let named = |missing: &[String], what| named(kind, what, missing, granted);
    let no_properties = match &made {
        Err(Halt::Fault(Fault::Forbidden { missing, .. })) => Some(named(missing, Use::Properties)),
        _ => None,
    };
    let proven =
        |what| granted.is_some_and(|granted| scopes::missing(kind, what, granted).is_empty());
    let forbidden = match proven(Use::Records) || is_absent(&made) {
        true => Ok(None),
        false => records(sender, connection, kind).await,
    };
    let no_records = forbidden.map(|missing| missing.map(|missing| named(&missing, Use::Records)));
    Looked {
        kind,
        unproven: no_records.is_err() || is_unknown(&made) && !proven(Use::Properties),
        made,
        no_properties,
        no_records,
    }
}

/// Whether records may be read and written: tried with one, and with none at all. Answers the scopes
/// HubSpot names where it forbids it. A refusal of what was asked is no ban; all else says nothing.
async fn records<P: Platform>(
    sender: &Sender<'_, P>,
    connection: &Connection,
    kind: Kind,
) -> Result<Option<Vec<String>>, Halt> {
    let api = api(connection);
    let (mut lacking, mut unknown) = (None, None);
    for request in [
        objects::any(&api, kind),
        objects::update(&api, kind, None, &[]),
    ] {
        let answer = sender
            .hubspot(Lane::General, Effect::Read, request, body)
            .await;
        match answer {
            Ok(_) | Err(Halt::Fault(Fault::Refused { .. })) => {}
            Err(Halt::Fault(Fault::Forbidden { missing, .. })) => {
                lacking.get_or_insert_with(Vec::new).extend(missing);
            }
            Err(halt) => unknown = Some(halt),
        }
    }
    match (lacking, unknown) {
        (None, Some(halt)) => Err(halt),
        (lacking, _) => Ok(lacking),
    }
}

/// What HubSpot names, and what it would name next.
fn named(kind: Kind, what: Use, missing: &[String], granted: Option<&Scopes>) -> Scopes {
    let mut all: Scopes = missing.iter().cloned().collect();
    if let Some(granted) = granted {
        all.extend(scopes::missing(kind, what, granted));
    }
    if all.is_empty() {
        all.extend(scopes::missing(kind, what, &Scopes::new()));
    }
    all
}

/// The portal knows no such kind of object.
fn is_absent(made: &Result<Ready, Halt>) -> bool {
    matches!(made, Err(Halt::Fault(Fault::Refused { .. })))
}

/// Neither made nor said to be impossible.
fn is_unknown(made: &Result<Ready, Halt>) -> bool {
    let answered = |fault: &Fault| matches!(fault, Fault::Refused { .. } | Fault::Forbidden { .. });
    match made {
        Ok(_) => false,
        Err(Halt::Fault(fault)) => !answered(fault),
        Err(Halt::Spent(_) | Halt::Store(_)) => true,
    }
}

/// What the checks say, and what the sync does without. What could not be found out stays as before.
pub struct Verdict {
    pub without: Without,
    pub checks: Vec<Check>,
    /// Nothing if it was not found out.
    pub writable_invoice_properties: Option<Vec<String>>,
}

pub fn judge(looked: Vec<Looked>, before: Without) -> Verdict {
    let mut without = before;
    for it in &looked {
        match it.kind {
            Kind::Invoice => decide(&mut without.invoices, it.lacks_kind(), it.is_usable()),
            Kind::LineItem => {
                let lacking = it.no_properties.is_some();
                decide(&mut without.line_keys, lacking, it.made.is_ok());
            }
            // Whatever it is that stands in the way, nothing else depends on it.
            Kind::Deal if it.is_unknown() => {}
            Kind::Deal => without.deals = !it.is_usable(),
            Kind::Company | Kind::Contact => {}
        }
    }
    let mut checks = vec![scopes_check(&looked, without)];
    checks.extend(looked.iter().map(|it| it.check(without)));
    let invoices = looked.into_iter().find(|it| it.kind == Kind::Invoice);
    let ready = invoices.and_then(|it| it.made.ok());
    Verdict {
        without,
        checks,
        writable_invoice_properties: ready.map(|ready| ready.writable),
    }
}

fn decide(without: &mut bool, lacking: bool, there: bool) {
    if lacking || there {
        *without = lacking;
    }
}

impl Looked {
    fn is_usable(&self) -> bool {
        let ready = self.made.as_ref().is_ok_and(|ready| ready.wrong.is_empty());
        ready && self.no_records == Ok(None)
    }

    /// Nothing speaks against it, and something did not answer.
    fn is_unknown(&self) -> bool {
        !self.lacks_kind() && (is_unknown(&self.made) || self.no_records.is_err())
    }

    /// The portal has no such kind, or the token may not use it.
    fn lacks_kind(&self) -> bool {
        self.lacking().next().is_some() || is_absent(&self.made)
    }

    fn lacking(&self) -> impl Iterator<Item = &String> {
        let of_records = self.no_records.as_ref().ok().and_then(Option::as_ref);
        let both = [self.no_properties.as_ref(), of_records];
        both.into_iter().flatten().flatten()
    }

    /// Whether the sync can do without what this kind lacks.
    fn is_optional(&self, without: Without) -> bool {
        match self.kind {
            Kind::Company | Kind::Contact => false,
            Kind::Invoice => without.invoices && (self.lacks_kind() || self.is_unknown()),
            Kind::LineItem => without.invoices || without.line_keys && self.no_records == Ok(None),
            Kind::Deal => true,
        }
    }

    fn check(&self, without: Without) -> Check {
        let name = format!("hubspot_{}", self.kind.path());
        let failed = match &self.made {
            _ if self.lacking().next().is_some() => {
                let fault = forbidden(self.lacking().cloned().collect());
                Check::halted(&name, &Halt::Fault(fault))
            }
            Err(Halt::Fault(Fault::Refused { .. })) => Check::failed(
                &name,
                format!("This portal has no {}.", self.kind.path().replace('_', " ")),
                format!("Ask HubSpot whether the portal's plan includes them; then {AGAIN}."),
            ),
            Err(halt) => Check::halted(&name, halt),
            Ok(Ready { wrong, .. }) if !wrong.is_empty() => unusable(&name, wrong),
            Ok(_) => match &self.no_records {
                Err(halt) => Check::halted(&name, halt),
                Ok(_) => return Check::passed(&name),
            },
        };
        if !self.is_optional(without) {
            return failed;
        }
        Check {
            why: format!("{} {}", failed.why, self.instead(without)),
            optional: true,
            ..failed
        }
    }

    /// What the sync does instead.
    fn instead(&self, without: Without) -> &'static str {
        match self.kind {
            Kind::Company | Kind::Contact => "",
            Kind::Invoice => "Customers are synced; invoices are not.",
            Kind::LineItem if without.invoices => {
                "They are not needed while invoices are left out."
            }
            Kind::LineItem => {
                "Line items are synced all the same, told apart by their content instead of a key of ours."
            }
            Kind::Deal => "All else is synced; invoices are not linked to deals.",
        }
    }
}

fn unusable(name: &str, wrong: &[Wrong]) -> Check {
    let whys: Vec<String> = wrong.iter().map(Wrong::why).collect();
    let mut remedies: Vec<String> = wrong.iter().map(Wrong::remedy).collect();
    remedies.dedup();
    Check {
        // HubSpot shows what it made in its own time.
        unknown: wrong.iter().all(|it| matches!(it, Wrong::NotThere(_))),
        ..Check::failed(name, whys.join(" "), remedies.join(" "))
    }
}

fn forbidden(missing: Vec<String>) -> Fault {
    Fault::Forbidden {
        system: System::HubSpot,
        missing,
    }
}

/// All that is lacking in one list, so that it is mended in one go.
fn scopes_check(looked: &[Looked], without: Without) -> Check {
    let name = "hubspot_scopes";
    let lacking: Scopes = looked.iter().flat_map(Looked::lacking).cloned().collect();
    if lacking.is_empty() {
        return scopes_not_lacking(name, looked, without);
    }
    let optional = looked
        .iter()
        .filter(|it| it.lacking().next().is_some())
        .all(|it| it.is_optional(without));
    let named: Vec<String> = lacking.into_iter().collect();
    let named = named.join(", ");
    Check {
        optional,
        ..Check::failed(
            name,
            format!("The HubSpot token lacks these scopes: {named}."),
            format!(
                "Add them to the service key or private app in HubSpot; then {AGAIN}. If HubSpot gave out a new token, PATCH the connection with it as `hubspot.token` instead."
            ),
        )
    }
}

/// Nobody said that any is lacking; that all are there is said only where something proves it.
fn scopes_not_lacking(name: &str, looked: &[Looked], without: Without) -> Check {
    let unproven: Vec<&Looked> = looked.iter().filter(|it| it.unproven).collect();
    if unproven.is_empty() {
        return Check::passed(name);
    }
    let kinds: Vec<String> = unproven
        .iter()
        .map(|it| it.kind.path().replace('_', " "))
        .collect();
    let because = format!(
        "what may be done with {} was not found out",
        kinds.join(", ")
    );
    let remedy = format!("If HubSpot is only slow now, {AGAIN}.");
    Check {
        optional: unproven.iter().all(|it| it.is_optional(without)),
        ..Check::not_looked_at(name, &because, remedy)
    }
}
