//! The tests that need more than one module: the house's rules, and the world.

mod house;
mod lease;
mod world;
