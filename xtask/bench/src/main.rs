//! Measures; see the library.

fn main() -> std::process::ExitCode {
    kubewire_bench::main(|| None)
}
