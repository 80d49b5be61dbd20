//! What the README tells people to type, typed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::photos;
use crate::program::{PASSWORD, Server, forget_settings, place, run, said};

const README: &str = include_str!("../../../README.md");

/// The fenced blocks of a language, in their order.
fn blocks(language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = README.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            if line == format!("```{language}") {
                blocks.push(block.join("\n"));
            }
        }
    }
    blocks
}

/// A `cargo` that runs the program of these tests instead of building it again. What else cargo is asked to do is written down only: the tests
/// run inside one of these commands.
const CARGO: &str = r#"#!/bin/sh
set -eu
printf '%s\n' "$*" >>"$TYPED"
[ "$1" = run ] && [ $# -gt 1 ] || exit 0
shift 2
case "$1 $2" in
    # There is no terminal to ask for the password at.
    "user create") printf '%s\n' "$PASSWORD" | "$GALLERY" "$@" --password-stdin ;;
    *) "$GALLERY" "$@" ;;
esac
"#;

fn make_executable(path: &Path, script: &str) {
    fs::write(path, script).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_readme_do_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let (data, home) = (folder.path().join("data"), folder.path().join("home"));
    fs::create_dir_all(home.join("Pictures/Beach")).unwrap();
    for n in 0..4 {
        fs::write(home.join(format!("Pictures/Beach/beach {n}.jpg")), photos::jpeg(n, 300)).unwrap();
    }
    fs::write(home.join("photo.jpg"), photos::jpeg(9, 300)).unwrap();
    let (bin, typed) = (folder.path().join("bin"), folder.path().join("typed"));
    fs::create_dir(&bin).unwrap();
    make_executable(&bin.join("cargo"), CARGO);

    let server = Server::start(&data);
    // What the server says is what the README says that it does.
    let told = blocks("text").concat();
    let told = told.replace("http://127.0.0.1:8080", &server.url).replace("gallery-data", data.to_str().unwrap());
    let mut told = told.lines();
    assert_eq!(told.next(), Some(&*format!("Gallery is at {}/", server.url)));
    for line in told {
        assert_eq!(server.next_line(), line);
    }

    let script = blocks("sh").join("\n").replace("http://127.0.0.1:8080", &server.url);
    let script_file = folder.path().join("readme.sh");
    fs::write(&script_file, script).unwrap();
    let password = folder.path().join("password");
    fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let mut bash = Command::new("bash");
    forget_settings(&mut bash);
    bash.args(["-e", "-u", "-o", "pipefail"]).arg(&script_file).current_dir(&home);
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    bash.env("PATH", path).env("HOME", &home).env("TYPED", &typed).env("PASSWORD", PASSWORD);
    bash.env("GALLERY", env!("CARGO_BIN_EXE_gallery")).env("no_proxy", "*");
    place(&mut bash, &data);
    bash.stdin(Stdio::from(fs::File::open(&password).unwrap()));
    let done = said(&mut bash);
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    for expected in [
        "ada@example.org can log in now.",
        "4 new, 0 already there",
        "\"fileName\": \"beach 3.jpg\"",
        "\"width\": 300",
        "\"photos\": 4",
        "\"fileName\": \"photo.jpg\"",
        "\"first\"",
    ] {
        assert!(done.out.contains(expected), "{expected}: {}{}", done.out, done.err);
    }
    let typed = fs::read_to_string(&typed).unwrap();
    assert_eq!(typed.lines().filter(|line| line.starts_with("xtask test") || *line == "run").count(), 2, "{typed}");
    assert!(server.stop().success());
    assert!(run(&data, &["verify", "--hash"]).well().contains("5 photos"));
}

#[test]
fn every_command_and_every_variable_stands_in_the_readme() {
    let folder = tempfile::tempdir().unwrap();
    let help = |arguments: &[&str]| run(folder.path(), arguments).well();
    let overview = help(&["--help"]);
    let commands = overview.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<_> =
        commands.filter_map(|line| line.split_whitespace().next()).filter(|it| *it != "help").collect();
    assert!(commands.len() >= 7, "{overview}");
    for command in commands {
        assert!(README.contains(&format!("`gallery {command}")), "{command}");
    }
    let helped = [overview.clone(), help(&["serve", "--help"])].concat();
    let variables =
        helped.split(|c: char| !(c.is_ascii_uppercase() || c == '_')).filter(|it| it.starts_with("GALLERY_"));
    assert!(variables.clone().count() > 3, "{helped}");
    for variable in variables {
        assert!(README.contains(&format!("| `{variable}` |")), "{variable}");
    }
}
