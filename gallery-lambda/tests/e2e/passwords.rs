//! The program with a database whose password AWS Secrets Manager keeps, found by AWS's own variables. A stand-in on this machine plays that part.

use std::process::Command;

use tempfile::TempDir;
use test_postgres::{Cluster, Programs};

use crate::program::{Said, gallery, said};
use crate::secrets_manager::SecretsManager;
use crate::store::folder_of_files;

struct Scene {
    cluster: Cluster,
    secrets: SecretsManager,
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        let cluster = Cluster::start(&Programs::of_environment().unwrap(), &[]).unwrap();
        let secret = serde_json::json!({ "username": "postgres", "password": cluster.password() });
        Self { secrets: SecretsManager::with(&secret.to_string()), cluster, folder: folder_of_files() }
    }

    fn gallery(&self, parameters: &str) -> Command {
        let mut command = gallery(&self.folder.path().join("data"));
        command.env("GALLERY_STORE", format!("postgres://127.0.0.1:{}/postgres?{parameters}", self.cluster.port()));
        for (variable, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"AWS_")) {
            command.env_remove(variable);
        }
        command
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", self.folder.path().join("none"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.folder.path().join("none"))
            .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.secrets.url());
        command
    }

    fn with_credentials(&self, parameters: &str) -> Command {
        let mut command = self.gallery(parameters);
        command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG");
        command
    }

    fn run(&self, command: &mut Command) -> Said {
        let said = said(command.arg("migrate-schema"));
        assert!(!said.out.contains(self.cluster.password()) && !said.err.contains(self.cluster.password()), "{said:?}");
        said
    }
}

#[test]
fn a_password_is_fetched_from_where_the_variables_of_aws_lead() {
    let scene = Scene::new();
    scene.run(&mut scene.with_credentials("password=secretsmanager:prod/gallery&region=eu-central-1")).well();
    let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/gallery-AbCdEf";
    scene.run(&mut scene.with_credentials(&format!("password=secretsmanager:{arn}"))).well();
    scene.run(scene.with_credentials("password=secretsmanager:prod/gallery").env("AWS_REGION", "us-east-2")).well();
    let asked = scene.secrets.requests();
    let regions = ["eu-central-1", "eu-west-1", "us-east-2"];
    assert_eq!(asked.len(), regions.len());
    for (request, region) in asked.iter().zip(regions) {
        assert!(request.authorization.contains(&format!("/{region}/secretsmanager/")), "{request:?}");
    }
    assert_eq!(asked[1].body["SecretId"], arn);
}

#[test]
fn what_is_wrong_with_it_is_said_with_the_variable_and_what_to_mend() {
    let scene = Scene::new();
    let refused = |command: &mut Command, parts: &[&str]| {
        let said = scene.run(command);
        assert_eq!(said.code, Some(1), "{said:?}");
        for part in [&["GALLERY_STORE"], parts].concat() {
            assert!(said.err.contains(part), "{part} is not in {}", said.err);
        }
    };
    let there = "password=secretsmanager:prod/gallery&region=eu-central-1";
    refused(&mut scene.gallery(there), &["there are no AWS credentials", "AWS_ACCESS_KEY_ID"]);
    refused(&mut scene.with_credentials("password=secretsmanager:g"), &["no AWS region is named", "AWS_REGION"]);
    refused(&mut scene.with_credentials("password=iam&sslmode=prefer"), &["over TLS alone", "`verify-full`"]);
    refused(&mut scene.with_credentials("password=hunter2"), &["neither `secretsmanager:NAME` nor `iam`"]);
    scene.secrets.refuse(400, "AccessDeniedException");
    refused(&mut scene.with_credentials(there), &["`prod/gallery`", "`secretsmanager:GetSecretValue`"]);
    scene.secrets.refuse(400, "ResourceNotFoundException");
    refused(&mut scene.with_credentials(there), &["has no secret `prod/gallery`", "check `password` and `region`"]);
    scene.secrets.keep("{}");
    refused(&mut scene.with_credentials(there), &["has no text as its `password`", "store JSON"]);
    scene.secrets.keep(r#"{"password":"another"}"#);
    refused(
        &mut scene.with_credentials(&format!("user=postgres&{there}")),
        &["refuses the login that Secrets Manager gives"],
    );
}
