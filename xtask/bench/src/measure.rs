//! What a work takes, as its process sees it.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// For so long a work is repeated, once at least.
const TIME: Duration = Duration::from_secs(1);

/// What one process measured.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Sample {
    /// Pods, events or calls.
    pub(crate) units: u64,
    /// Seconds on the clock.
    pub(crate) wall: f64,
    /// Seconds of CPU time, of all threads, the system's work for them included.
    pub(crate) cpu: f64,
    /// The most memory that the process had beyond what it had when the work began, in MiB.
    pub(crate) peak_mib: Option<f64>,
    /// Allocations and reallocations, where they are counted.
    pub(crate) allocations: Option<u64>,
}

/// Measures what it is given to do.
#[derive(Clone, Copy)]
pub(crate) struct Meter {
    pub(crate) allocations: fn() -> Option<u64>,
}

impl Meter {
    /// Takes turns until the time is over. A turn says how many units it did.
    pub(crate) async fn measure<E>(self, mut turn: impl AsyncFnMut() -> Result<u64, E>) -> Result<Sample, E> {
        // Forgets the peak of what came before, such as filling a store that is read now. Where the system refuses, it
        // counts.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        let resident = status_mib("VmRSS:");
        let allocations = (self.allocations)();
        let (start, cpu) = (Instant::now(), cpu_time());
        let mut units = 0;
        loop {
            units += turn().await?;
            let wall = start.elapsed();
            if wall >= TIME {
                return Ok(Sample {
                    units,
                    wall: wall.as_secs_f64(),
                    cpu: (cpu_time() - cpu).as_secs_f64(),
                    peak_mib: status_mib("VmHWM:")
                        .zip(resident)
                        .map(|(peak, before)| (peak - before).max(0.0)),
                    allocations: (self.allocations)().zip(allocations).map(|(now, then)| now - then),
                });
            }
        }
    }
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    // The clock counts from the process's start.
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// What the kernel says of the process's resident memory: `VmRSS:` is what it has, `VmHWM:` the most that it had.
fn status_mib(field: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}
