//! The tests that need more than one module: the house's rules, the world, and the built
//! Worker in workerd.

mod agreement;
mod bugs;
mod fuzz;
mod house;
mod journeys;
mod lease;
mod loads;
mod mutants;
mod queue;
mod site;
mod weather;
mod workerd;
mod world;
