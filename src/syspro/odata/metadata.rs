//! `$metadata`: which tables and columns a service publishes. Read to tell what a missing one may be
//! called there; nothing depends on it.

use http::{Request, Response};
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::{Service, get, refused, shape, unreadable};
use crate::{fault::Fault, sorted::SortedMap};

/// Published tables with their columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema(pub SortedMap<String, Vec<String>>);

impl Schema {
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn columns(&self, table: &str) -> Option<&[String]> {
        self.0.get(table).map(Vec::as_slice)
    }
}

pub fn ask_schema(service: &Service) -> Request<String> {
    let mut request = get(&format!("{}/$metadata", service.company_url()));
    request.headers_mut().remove(http::header::ACCEPT);
    request
}

/// # Errors
/// What is no XML with tables in it.
pub fn read_schema(response: &Response<Vec<u8>>) -> Result<Schema, Fault> {
    if !response.status().is_success() {
        return Err(refused(response));
    }
    let schema = schema(response.body()).filter(|schema| !schema.0.is_empty());
    schema.ok_or_else(|| unreadable(&shape(response.body())))
}

/// Prefixes differ between servers, so elements go by their local names.
fn schema(body: &[u8]) -> Option<Schema> {
    let mut reader = Reader::from_reader(body);
    let mut types: SortedMap<String, Vec<String>> = SortedMap::new();
    let mut sets = Vec::new();
    let mut inside = None;
    loop {
        let element = match reader.read_event().ok()? {
            Event::Start(element) | Event::Empty(element) => element,
            Event::Eof => break,
            _ => continue,
        };
        let name = attribute(&element, "Name");
        match (element.local_name().as_ref(), name) {
            (b"EntityType", Some(name)) => {
                types.get_or_default(name.clone());
                inside = Some(name);
            }
            (b"Property", Some(name)) => {
                let columns = inside.as_ref().and_then(|inside| types.get_mut(inside));
                columns.into_iter().for_each(|it| it.push(name.clone()));
            }
            (b"EntitySet", Some(name)) => {
                let of = attribute(&element, "EntityType").unwrap_or_default();
                sets.push((name, of));
            }
            (b"ComplexType", _) => inside = None,
            _ => {}
        }
    }
    let columns = |(name, of): (String, String)| {
        let of = of.rsplit('.').next().unwrap_or_default();
        let columns = types.get(of).cloned().unwrap_or_default();
        (name, columns)
    };
    Some(Schema(sets.into_iter().map(columns).collect()))
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.try_get_attribute(name).ok()??;
    String::from_utf8(found.value.into_owned()).ok()
}
