//! Backups of stores with everything in them, put back here and there.

mod damaged;
mod elsewhere;
mod files_away;
mod interrupted;
mod round_trip;
mod secrets;
mod shelf;
mod under_load;
mod world;
