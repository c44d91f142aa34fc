//! A connection as it is shown and stored: everything but the secrets, and the secrets by field.

use serde_json::{Value, json};

use super::{Connection, Problem, body, change::is_secret, rules::SET};
use crate::{
    sorted::SortedMap,
    {origin::origin_of, vault::Secret},
};

const HEADERS: &str = "syspro.headers.";

impl Connection {
    /// The connection as anyone may see it, secrets as `"set"`.
    pub fn public_json(&self) -> Value {
        let mut syspro = json!({
            "odata_url": self.syspro.odata_url,
            "company": self.syspro.company,
            "odata_username": self.syspro.odata_username,
            "odata_password": SET,
            "local_currency": self.syspro.local_currency,
        });
        if !self.syspro.headers.is_empty() {
            let names = self.syspro.headers.keys();
            let set: SortedMap<_, _> = names.map(|name| (name, SET)).collect();
            syspro["headers"] = json!(set);
        }
        if let Some(enet) = &self.syspro.enet {
            syspro["enet_url"] = json!(enet.url);
            syspro["operator"] = json!(enet.operator);
            syspro["operator_password"] = json!(mark(&enet.operator_password));
            syspro["company_password"] = json!(mark(&enet.company_password));
        }
        json!({
            "id": self.id,
            "name": self.name,
            "syspro": syspro,
            "hubspot": {
                "token": SET,
                "api_url": self.hubspot.api_url,
                "api_version": self.hubspot.api_version,
                "prefix": self.hubspot.prefix,
            },
            "settings": self.settings,
        })
    }

    /// SYSPRO's company in capitals: with the portal's id it names a connection as well as its id does.
    pub fn company_key(&self) -> String {
        self.syspro.company.to_ascii_uppercase()
    }

    /// Who is logged on to e.net, and where: SYSPRO gives an operator one session at a time.
    pub fn operator(&self) -> Option<String> {
        let enet = self.syspro.enet.as_ref()?;
        let origin = origin_of(&enet.url)?;
        Some(format!(
            "{origin} {}",
            enet.operator.trim().to_ascii_uppercase()
        ))
    }

    /// Every secret that is not empty, by the path of its field: what is sealed, and under which name.
    pub fn secrets(&self) -> SortedMap<String, Secret> {
        let mut secrets = vec![
            (
                "syspro.odata_password".to_owned(),
                &self.syspro.odata_password,
            ),
            ("hubspot.token".to_owned(), &self.hubspot.token),
        ];
        if let Some(enet) = &self.syspro.enet {
            secrets.push((
                "syspro.operator_password".to_owned(),
                &enet.operator_password,
            ));
            secrets.push(("syspro.company_password".to_owned(), &enet.company_password));
        }
        for (name, value) in &self.syspro.headers {
            secrets.push((format!("{HEADERS}{name}"), value));
        }
        secrets
            .into_iter()
            .filter(|(_, secret)| !secret.is_empty())
            .map(|(field, secret)| (field, secret.clone()))
            .collect()
    }

    /// The fields of the secrets that a connection's public form says are set.
    pub fn fields_of_secrets(public: &Value) -> Vec<String> {
        let mut fields = Vec::new();
        for (system, path) in [("syspro", "/syspro"), ("hubspot", "/hubspot")] {
            let names = set_in(public.pointer(path)).filter(|name| is_secret(name));
            fields.extend(names.map(|name| format!("{system}.{name}")));
        }
        let headers = set_in(public.pointer("/syspro/headers"));
        fields.extend(headers.map(|name| format!("{HEADERS}{name}")));
        fields
    }

    /// Puts together what [`Self::public_json`] and [`Self::secrets`] took apart.
    ///
    /// # Errors
    /// What is missing or unreadable: a stored connection was valid when it was stored.
    pub fn restore(
        public: &Value,
        secrets: &SortedMap<String, Secret>,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let connection = body::read(with_secrets(public, secrets), None, &mut problems);
        if problems.is_empty() {
            Ok(connection)
        } else {
            Err(problems)
        }
    }
}

/// A connection in the form of a body. Never leaves this module's parent: it is not a [`Secret`].
pub(super) fn with_secrets(
    public: &Value,
    secrets: &SortedMap<String, Secret>,
) -> serde_json::Map<String, Value> {
    let mut body = public.as_object().cloned().unwrap_or_default();
    for (field, secret) in secrets {
        let place = match field.strip_prefix(HEADERS) {
            // A header's name may hold dots.
            Some(name) => body
                .get_mut("syspro")
                .and_then(|syspro| syspro.get_mut("headers"))
                .and_then(|headers| headers.get_mut(name)),
            None => field
                .split_once('.')
                .and_then(|(system, name)| body.get_mut(system)?.get_mut(name)),
        };
        if let Some(place) = place {
            *place = json!(secret.expose());
        }
    }
    body
}

/// The fields of an object that hold the mark of a secret.
fn set_in(part: Option<&Value>) -> impl Iterator<Item = &String> {
    let fields = part.and_then(Value::as_object).into_iter().flatten();
    fields
        .filter(|(_, value)| *value == SET)
        .map(|(name, _)| name)
}

fn mark(secret: &Secret) -> &'static str {
    if secret.is_empty() { "" } else { SET }
}
