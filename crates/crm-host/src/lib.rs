//! The machine behind the ports: clock, randomness, passwords, locks
