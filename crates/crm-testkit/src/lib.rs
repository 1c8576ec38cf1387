//! The contract suite that every store passes, with fakes and fixtures
