//! JSON into our own types: from text by way of [`Value`], and from there with a reader that takes a
//! struct from an object only, and never makes a number of a fraction it was not asked for. With
//! `serde_json`'s own reader each type is compiled for text, for values, and in both for a list of
//! its fields as well: a twentieth of the Worker.

use rust_decimal::Decimal;
use serde::{
    Deserializer,
    de::{
        DeserializeOwned, Error as _, Expected, IntoDeserializer, Unexpected, Visitor,
        value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Error, Map, Number, Value};

/// # Errors
/// The text is no JSON, or another type's.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    from_value(parse(text.as_bytes())?)
}

/// Of text too by its bytes: the parser is compiled for either.
///
/// # Errors
/// They are no JSON.
pub fn parse(bytes: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(bytes)
}

/// # Errors
/// The value is another type's.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    T::deserialize(Typed(&value))
}

/// What parts of a whole need; `f64`'s own reader brings ten kilobytes of powers of ten.
pub fn fraction(number: &Number) -> Option<f64> {
    let text = number.as_str();
    let decimal = text.parse().or_else(|_| Decimal::from_scientific(text));
    decimal.ok().map(|decimal| decimal.as_f64())
}

/// The name under which `serde_json` hands a number's digits to a [`Value`]. It is not promised to
/// stay; a test would tell.
const NUMBER: &str = "$serde_json::private::Number";

/// By reference: what owns its value brings the code that drops what is left of it, for each type.
#[derive(Clone, Copy)]
struct Typed<'de>(&'de Value);

impl<'de> Typed<'de> {
    fn is_not<V: Visitor<'de>>(self, expected: &V) -> Error {
        wrong(self.0, expected)
    }
}

fn wrong(value: &Value, expected: &dyn Expected) -> Error {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Error::invalid_type(Unexpected::Other(found), expected)
}

/// The entries of an object.
fn entries(map: &Map<String, Value>) -> impl Iterator<Item = (&str, Typed<'_>)> {
    map.iter()
        .map(|(name, value)| (name.as_str(), Typed(value)))
}

impl<'de> IntoDeserializer<'de, Error> for Typed<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! whole_number {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let number = self.0.as_number();
            match number.map(|number| (number.as_u64(), number.as_i64())) {
                Some((Some(number), _)) => visitor.visit_u64(number),
                Some((_, Some(number))) => visitor.visit_i64(number),
                _ => Err(self.is_not(&visitor)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Typed<'de> {
    type Error = Error;

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Bool(value) => visitor.visit_bool(*value),
            _ => Err(self.is_not(&visitor)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(text) => visitor.visit_str(text),
            _ => Err(self.is_not(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    whole_number! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    /// Only a [`Value`] asks for this.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::String(text) => visitor.visit_str(text),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
            Value::Number(number) => {
                let digits = std::iter::once((NUMBER, number.as_str()));
                visitor.visit_map(MapDeserializer::new(digits))
            }
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.as_number().and_then(fraction) {
            Some(number) => visitor.visit_f64(number),
            None => Err(self.is_not(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(map) => visitor.visit_map(MapDeserializer::new(entries(map))),
            _ => Err(self.is_not(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.iter().map(Typed));
                let read = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(read)
            }
            _ => Err(self.is_not(&visitor)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(variant) => visitor.visit_enum(variant.as_str().into_deserializer()),
            Value::Object(map) if map.len() == 1 => visitor.visit_enum(MapAccessDeserializer::new(
                MapDeserializer::new(entries(map)),
            )),
            _ => Err(self.is_not(&visitor)),
        }
    }

    forward_to_deserialize_any! { char bytes byte_buf i128 u128 f32 unit unit_struct tuple_struct }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;
    use crate::sorted::SortedMap;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct Thing {
        name: String,
        small: u8,
        large: i64,
        share: f64,
        shape: Shape,
        maybe: Option<Box<Thing>>,
        pair: (u32, String),
        any: Value,
        named: SortedMap<Shape, Vec<bool>>,
    }

    #[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Shape {
        #[default]
        Round,
        Cut(u32),
    }

    #[test]
    fn what_was_written_is_read_again() {
        let text = r#"{"a": 12345678901234567890.12345678901234567890, "b": [1, -2, 1e3, null]}"#;
        let thing = Thing {
            name: "näme".to_owned(),
            small: 255,
            large: i64::MIN,
            share: 0.8,
            shape: Shape::Cut(7),
            maybe: Some(Box::default()),
            pair: (u32::MAX, String::new()),
            any: serde_json::from_str(text).expect("JSON"),
            named: SortedMap::from([(Shape::Round, vec![true, false])]),
        };
        let written = serde_json::to_string(&thing).expect("JSON");
        assert_eq!(from_str::<Thing>(&written).expect("a thing"), thing);
        let read: Value = from_str(text).expect("a value");
        assert_eq!(
            read.to_string(),
            serde_json::from_str::<Value>(text)
                .expect("JSON")
                .to_string()
        );
    }

    #[test]
    fn what_is_another_types_is_refused() {
        for value in [
            json!([]),
            json!("thing"),
            json!(null),
            json!({ "small": 256 }),
            json!({ "small": -1 }),
            json!({ "large": 0.5 }),
            json!({ "large": "1" }),
            json!({ "share": "0.5" }),
            json!({ "shape": "oval" }),
            json!({ "shape": { "cut": 1, "round": null } }),
            json!({ "pair": [1] }),
            json!({ "pair": [1, "two", 3] }),
            json!({ "named": ["round"] }),
            json!({ "maybe": {"name": null} }),
        ] {
            assert!(from_value::<Thing>(value.clone()).is_err(), "{value}");
        }
    }

    #[test]
    fn a_fraction_is_the_nearest_there_is() {
        for (text, number) in [("0.8", 0.8), ("1", 1.0), ("0.0001", 0.0001), ("5e-1", 0.5)] {
            let value: Value = serde_json::from_str(text).expect("JSON");
            assert_eq!(value.as_number().and_then(fraction), Some(number), "{text}");
        }
    }
}
