//! The tests that need more than one module: the house's rules, and the world.

mod agreement;
mod house;
mod journeys;
mod lease;
mod site;
mod world;
