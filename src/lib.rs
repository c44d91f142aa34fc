//! SYSPRO to HubSpot sync: the modules in reading order.

pub mod platform;

pub mod fault;

pub mod origin;
pub mod vault;

pub mod config;
pub mod connection;

pub mod feeds;
pub mod hubspot;
pub mod store;
pub mod syspro;

pub mod pace;
pub mod retry;

pub mod routes;

mod edge;
