//! kubewire and its peers, measured side by side in one run. What is measured stands in `benches/`:
//!
//! ```sh
//! cargo bench -p kubewire-bench --bench limiter
//! ```
