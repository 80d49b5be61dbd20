//! The local server and the command line.

fn main() {}
