//! Against prost, on messages of its own.

mod hostile;
mod model;
mod reading;
