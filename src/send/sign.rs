//! Credentials on their way into a request, and nowhere else.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{
    HeaderValue, Request,
    header::{AUTHORIZATION, HeaderName},
};

use crate::{connection::Syspro, vault::Secret};

pub fn for_odata(request: &mut Request<String>, syspro: &Syspro) {
    let pair = format!(
        "{}:{}",
        syspro.odata_username,
        syspro.odata_password.expose()
    );
    put(
        request,
        AUTHORIZATION,
        &format!("Basic {}", BASE64_STANDARD.encode(pair)),
    );
    headers(request, syspro);
}

/// Its credentials stand in the URL.
pub fn for_enet(request: &mut Request<String>, syspro: &Syspro) {
    headers(request, syspro);
}

fn headers(request: &mut Request<String>, syspro: &Syspro) {
    for (name, value) in &syspro.headers {
        if let Ok(name) = HeaderName::try_from(name.as_str()) {
            put(request, name, value.expose());
        }
    }
}

pub fn for_hubspot(request: &mut Request<String>, token: &Secret) {
    put(
        request,
        AUTHORIZATION,
        &format!("Bearer {}", token.expose()),
    );
}

/// What cannot stand in a header was refused when the connection was made.
fn put(request: &mut Request<String>, name: HeaderName, value: &str) {
    if let Ok(mut value) = HeaderValue::from_str(value) {
        value.set_sensitive(true);
        request.headers_mut().insert(name, value);
    }
}
