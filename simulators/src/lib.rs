//! SYSPRO and HubSpot as the sync sees them on the wire.
//!
//! Each simulator is a pure `answer(&mut self, now, request) -> response`: the clock and the seed
//! are handed in, nothing is read from the machine. The seeded tests call them directly; [`serve`]
//! puts them behind HTTP, and the small binary beside this file does that and no more.

mod control;
pub mod data;
pub mod hubspot;
pub mod peopled;
pub mod serve;
pub mod syspro;

/// What a simulator is asked: exactly what the Worker would put on the wire.
pub type Request = http::Request<String>;
/// What it answers, as raw bytes: bodies may be cut, Windows-1252 or no JSON at all.
pub type Response = http::Response<Vec<u8>>;
/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;
