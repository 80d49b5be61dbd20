//! The program on DynamoDB: how it gets its tables, and what it says where it cannot use them.

use std::path::Path;
use std::process::Command;

use crate::dynamodb_server::{KEY, Tables};
use crate::program::{create_user_by, gallery, said};

/// A command that uses the tables, with these parameters more in the URL.
fn gallery_in(tables: &Tables, data: &Path, parameters: &str) -> Command {
    let mut command = gallery(data);
    command.env("GALLERY_STORE", format!("{}{parameters}", tables.url()));
    command.env("AWS_ACCESS_KEY_ID", KEY[0]).env("AWS_SECRET_ACCESS_KEY", KEY[1]);
    command
}

#[test]
fn tables_are_provisioned_once_and_then_used() {
    let (tables, folder) = (Tables::named(), tempfile::tempdir().unwrap());
    let run = |arguments: &[&str]| said(gallery_in(&tables, folder.path(), "").args(arguments));
    let missing = run(&["user", "list"]);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    for part in ["GALLERY_STORE", "gallery provision", "ResourceNotFoundException"] {
        assert!(missing.err.contains(part), "{part}: {}", missing.err);
    }

    let pretended = run(&["provision", "--dry-run"]).well();
    assert!(pretended.contains("this would be done:") && pretended.contains("create the table"), "{pretended}");
    assert_eq!(run(&["migrate-schema", "--status"]).code, Some(1), "nothing was made");
    let done = run(&["provision", "--json"]).well();
    assert!(done.contains(&format!("create the table {}", tables.names().index)), "{done}");
    let again = run(&["provision"]).well();
    assert!(!again.contains("create the table"), "{again}");
    assert!(run(&["migrate-schema", "--status"]).well().contains("nothing to do"));

    create_user_by(gallery_in(&tables, folder.path(), ""), "ada@example.org");
    assert!(run(&["user", "list"]).well().contains("ada@example.org"));
    assert!(run(&["verify"]).well().contains("0 photos"));
    let backup = run(&["backup", "--to", folder.path().join("copy").to_str().unwrap()]);
    assert!(backup.code != Some(0), "{backup:?}");
}

#[test]
fn what_is_wrong_with_the_place_is_said_with_the_variable() {
    let (tables, folder) = (Tables::named(), tempfile::tempdir().unwrap());
    let refused = said(gallery_in(&tables, folder.path(), "&zone=a").args(["user", "list"]));
    assert!(
        refused.code == Some(1) && refused.err.contains("GALLERY_STORE has the unknown parameter `zone`"),
        "{refused:?}"
    );

    let mut nobody = gallery_in(&tables, folder.path(), "");
    nobody.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env_remove("AWS_SESSION_TOKEN");
    nobody.env_remove("AWS_PROFILE").env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", folder.path());
    let refused = said(nobody.args(["user", "list"]));
    assert!(refused.code == Some(1) && refused.err.contains("AWS_ACCESS_KEY_ID"), "{refused:?}");
    assert!(refused.err.contains("GALLERY_STORE"), "{refused:?}");
}
