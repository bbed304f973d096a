//! Which core a process runs on, where the system lets it say.

/// Cores for the server and for the client, if there is one for each.
pub(crate) fn for_two() -> Option<(usize, usize)> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    (cfg!(target_os = "linux") && cores >= 2).then_some((0, 1))
}

/// Keeps this process on a core from now on; call it before there are threads.
#[cfg(target_os = "linux")]
pub(crate) fn pin(core: usize) -> std::io::Result<()> {
    let mut set = rustix::thread::CpuSet::new();
    set.set(core);
    Ok(rustix::thread::sched_setaffinity(None, &set)?)
}

/// Elsewhere no core is asked for.
#[cfg(not(target_os = "linux"))]
pub(crate) fn pin(_core: usize) -> std::io::Result<()> {
    Ok(())
}
