//! The engine facade: config, runtime, session, catalogue.
