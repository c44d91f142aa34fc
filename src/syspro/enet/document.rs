//! The XML of e.net's answers, as a small tree: attributes and comments mean nothing there.

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesRef, BytesStart, Event},
};

/// One element. Names come in a case of their own mood: they are compared without it.
#[derive(Debug, Default)]
pub struct Element {
    pub name: String,
    /// Without the blanks around it: numbers come right-justified.
    pub text: String,
    pub below: Vec<Element>,
}

/// Elements deeper than this are no answer of SYSPRO's.
const DEEPEST: usize = 32;

impl Element {
    /// The root of a whole document; nothing of one that breaks off or is none.
    pub fn parse(xml: &str) -> Option<Self> {
        let mut reader = Reader::from_str(xml);
        let mut open: Vec<Element> = Vec::new();
        let mut root = None;
        loop {
            match reader.read_event().ok()? {
                Event::Start(element) if open.len() < DEEPEST && root.is_none() => {
                    open.push(Element::named(&element));
                }
                Event::Empty(element) => {
                    open.last_mut()?.below.push(Element::named(&element));
                }
                Event::End(_) => {
                    let mut done = open.pop()?;
                    done.text = done.text.trim().to_owned();
                    match open.last_mut() {
                        Some(above) => above.below.push(done),
                        None => root = Some(done),
                    }
                }
                Event::Text(text) => add(&mut open, &text.decode().ok()?),
                Event::CData(text) => add(&mut open, &text.decode().ok()?),
                Event::GeneralRef(entity) => add(&mut open, &letter(&entity)?),
                Event::Eof => return root.filter(|_| open.is_empty()),
                Event::Start(_) => return None,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
    }

    fn named(element: &BytesStart<'_>) -> Self {
        Self {
            name: String::from_utf8_lossy(element.local_name().as_ref()).into_owned(),
            ..Self::default()
        }
    }

    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.below.iter().filter(move |element| element.is(name))
    }

    /// The text of the first element of this name; blank where there is none.
    pub fn field(&self, name: &str) -> &str {
        let first = self.below.iter().find(|element| element.is(name));
        first.map_or("", |element| element.text.as_str())
    }

    /// The first element, here or below, that holds one of this name.
    pub fn holder(&self, name: &str) -> Option<&Element> {
        match self.all(name).next() {
            Some(_) => Some(self),
            None => self.below.iter().find_map(|below| below.holder(name)),
        }
    }
}

/// Blanks and line ends around the root belong to nothing.
fn add(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn letter(entity: &BytesRef<'_>) -> Option<String> {
    if let Ok(Some(letter)) = entity.resolve_char_ref() {
        return Some(letter.to_string());
    }
    let name = entity.decode().ok()?;
    resolve_predefined_entity(&name).map(str::to_owned)
}
