//! The gallery's local server and command line.

fn main() -> std::process::ExitCode {
    gallery_lambda::cli::run()
}
