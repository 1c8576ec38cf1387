//! Backups of stores with everything in them, put back here and there.

mod damaged;
mod elsewhere;
mod interrupted;
mod round_trip;
mod under_load;
mod world;
