//! The whole system as it is deployed, in a server that plays AWS: the template, the program as AWS Lambda starts it, and a journey through all of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};
use test_aws::MiniStack;

use crate::aws::MINISTACK;
use crate::command;
use crate::deploy::{self, Aws};
use crate::package::{self, Architecture, Store};
use crate::postgres::Server;
use crate::python::Package;

const AWS_CLI: Package = Package { name: "awscli-1.46.3", packages: &["awscli==1.46.3"], program: "aws" };
const REGION: &str = "eu-central-1";

/// Which program is deployed.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Options {
    /// The program, such as one that was built by `cargo xtask package`; else one is built like those that are tested.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// The features that the test is built with, such as `lambda-dynamodb`; all when left out.
    #[arg(long, value_name = "LIST")]
    features: Option<String>,
}

/// Deploys the gallery on each store, and goes through it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let postgres = Server::start_usual()?;
    test(options, &postgres)?;
    postgres.stop()
}

/// The same beside a PostgreSQL server that runs.
pub(crate) fn test(options: &Options, postgres: &Server) -> Result<()> {
    let program = match &options.program {
        Some(program) => program.clone(),
        None => build()?,
    };
    let folder = tempfile::tempdir()?;
    let artifact = folder.path().join("gallery.zip");
    // What is unpacked on this very machine need not be small.
    package::pack(&program, None, &artifact, 1)?;

    let ministack = MiniStack::start(&MINISTACK.program()?)?;
    let cloud = Cloud::new(&ministack, options.features.clone())?;
    cloud.verify_sender()?;
    cloud.journey(Store::Dynamodb, &artifact, &["Identity=cognito".to_owned()], &[])?;
    let database = postgres.url();
    let parameters = ["Identity=password".to_owned(), format!("DatabaseUrl={database}")];
    cloud.journey(Store::Postgres, &artifact, &parameters, &[("GALLERY_TEST_DATABASE", database.clone())])
}

/// The program with everything that the workspace has: what the tests were built with.
fn build() -> Result<PathBuf> {
    let mut build = command::cargo(["build", "--workspace", "--all-features", "--bin", "gallery-lambda"]);
    command::run(&mut build)?;
    let built = package::target_folder()?.join("debug/gallery-lambda");
    let stripped = built.with_file_name("gallery-lambda.stripped");
    command::output(Command::new("strip").arg("-o").arg(&stripped).arg(&built))
        .context("cannot strip the program: is Debian's package binutils installed?")?;
    Ok(stripped)
}

/// A server that plays AWS, and the tool that deploys there.
struct Cloud {
    endpoint: String,
    program: PathBuf,
    environment: Vec<(String, String)>,
    features: Option<String>,
}

impl Cloud {
    fn new(ministack: &MiniStack, features: Option<String>) -> Result<Self> {
        let endpoint = format!("http://127.0.0.1:{}", ministack.port());
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let environment = vec![
            variable("AWS_ENDPOINT_URL", &endpoint),
            variable("AWS_ACCESS_KEY_ID", MiniStack::ACCESS_KEY),
            variable("AWS_SECRET_ACCESS_KEY", MiniStack::SECRET_KEY),
            variable("AWS_REGION", REGION),
            variable("AWS_DEFAULT_REGION", REGION),
            // Whoever runs this may have an account of AWS, which is none of its business.
            variable("AWS_CONFIG_FILE", "/dev/null"),
            variable("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ];
        Ok(Self { endpoint, program: AWS_CLI.program()?, environment, features })
    }

    fn verify_sender(&self) -> Result<()> {
        let mut verify = Command::new(&self.program);
        verify.args(["ses", "verify-domain-identity", "--domain", "example.org"]);
        command::output(verify.envs(self.environment.clone())).map(drop)
    }

    /// The server that plays SES asks whether one may send as anybody, where SES asks whether as the very sender, which is all that the role may.
    fn let_mail_go(&self, stack: &str) -> Result<()> {
        let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}});
        let mut put = Command::new(&self.program);
        put.args([
            "iam",
            "put-role-policy",
            "--policy-name",
            "mail-of-the-test",
            "--role-name",
            &format!("{stack}-api-{REGION}"),
        ]);
        command::output(put.arg("--policy-document").arg(policy.to_string()).envs(self.environment.clone())).map(drop)
    }

    /// The bucket refuses what comes without TLS, which this server has none of: it is told to take it, and the policy that refused is answered, for a test
    /// to see it refuse.
    fn do_without_tls(&self, bucket: &str) -> Result<String> {
        let ask = |action: &str| {
            let mut aws = Command::new(&self.program);
            let arguments = ["--output", "json", "s3api", action, "--bucket", bucket];
            command::output(aws.args(arguments).envs(self.environment.clone()))
        };
        let found: Value = serde_json::from_str(&ask("get-bucket-policy")?)?;
        ask("delete-bucket-policy")?;
        Ok(found["Policy"].as_str().context("the bucket has a policy")?.to_owned())
    }

    /// Deploys a store's gallery, and goes through it.
    fn journey(
        &self,
        store: Store,
        artifact: &Path,
        parameters: &[String],
        variables: &[(&str, String)],
    ) -> Result<()> {
        let stack = format!("gallery-{}", if store == Store::Dynamodb { "d" } else { "p" });
        let mut all = vec![format!("EndpointUrl={}", self.endpoint), format!("TableName=Photo-{stack}")];
        // Its page is elsewhere, so that every call comes from another origin.
        all.push("SiteUrl=https://photos.example.org".to_owned());
        all.extend_from_slice(parameters);
        let options = deploy::Options {
            stack: stack.clone(),
            mail_from: format!("{stack}@example.org"),
            artifact: package::Options { store, arch: None, rds_certificates: None },
            packaged: Some(artifact.to_owned()),
            parameters: all,
        };
        let aws = Aws::new(self.program.clone(), self.environment.clone())?;
        let outputs = deploy::deploy(&aws, &options, artifact, Architecture::of_this_machine()?)?;
        self.let_mail_go(&stack)?;
        let bucket = outputs["PhotoBucket"].as_str().context("the stack names its bucket for photos")?;
        let bucket_policy = self.do_without_tls(bucket)?;
        let deployment = json!({
            "stack": stack, "store": store.to_string(), "endpoint": self.endpoint, "region": REGION, "outputs": outputs,
            "bucketPolicy": bucket_policy, "sender": options.mail_from, "tables": [format!("Photo-{stack}"), format!("Photo-{stack}Index")],
        });
        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), deployment.to_string())?;
        let mut test = command::cargo(["test", "--package", "gallery-lambda", "--test", "deployed"]);
        match &self.features {
            Some(features) => test.args(["--no-default-features", "--features", features]),
            // As the other tests, so that nothing is compiled again.
            None => test.arg("--all-features"),
        };
        test.args(["--", "--nocapture", "--test-threads=1"]);
        test.env("GALLERY_TEST_DEPLOYMENT", file.path()).env("GALLERY_TEST_AWS", &self.program);
        test.envs(self.environment.clone()).envs(variables.iter().map(|(name, value)| (*name, value)));
        command::run(&mut test)
    }
}
