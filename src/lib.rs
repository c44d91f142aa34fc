//! SYSPRO to HubSpot sync: the modules in reading order.

pub mod platform;

pub mod day;
pub mod fault;
pub mod hash;
pub mod sorted;
pub mod typed;

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
pub mod send;

pub mod books;
pub mod context;
pub mod crm;
pub mod deals;
pub mod deliver;
pub mod ingest;
pub mod reconcile;
pub mod replay;
pub mod sync;

pub mod preview;

pub mod credentials;
pub mod run;
pub mod tick;

pub mod setup;

pub mod routes;

mod edge;
