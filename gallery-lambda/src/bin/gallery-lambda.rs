//! What AWS Lambda runs: the API, or the worker, as the function's `Handler` says.

fn main() -> std::process::ExitCode {
    gallery_lambda::lambda::run()
}
