//! Deploying the gallery to an AWS account, by AWS's own command line tool.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::package::{self, Architecture, Store};
use crate::{command, workspace};

/// What is deployed.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// The name of the stack, with which the names of most of its parts begin
    #[arg(long, default_value = "photo-gallery", value_parser = stack_name)]
    pub(crate) stack: String,
    /// The sender of the gallery's mails, verified in SES
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) mail_from: String,
    #[command(flatten)]
    pub(crate) artifact: package::Options,
    /// An artifact that was packaged before, for machines as --arch says
    #[arg(long, value_name = "ZIP")]
    pub(crate) packaged: Option<PathBuf>,
    /// Any other parameter of deploy/template.yaml, such as `Identity=password`; may be given more than once
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<String>,
}

/// What is deleted.
#[derive(Clone, Debug, Args)]
pub(crate) struct DestroyOptions {
    /// The name of the stack
    #[arg(long, default_value = "photo-gallery", value_parser = stack_name)]
    stack: String,
    /// Delete without asking
    #[arg(long)]
    yes: bool,
}

/// AWS's command line tool, and where it works.
pub(crate) struct Aws {
    program: PathBuf,
    environment: Vec<(String, String)>,
    region: String,
    account: String,
}

impl Aws {
    /// The tool as whoever deploys has set it up.
    fn of_this_machine() -> Result<Self> {
        Self::new("aws".into(), Vec::new())
    }

    /// The tool, with an environment of its own.
    pub(crate) fn new(program: PathBuf, environment: Vec<(String, String)>) -> Result<Self> {
        let mut aws = Self { program, environment, region: String::new(), account: String::new() };
        let identity = aws.json(&["sts", "get-caller-identity"]).context(
            "AWS's command line tool cannot say who you are: install it (https://aws.amazon.com/cli/) and log in, as with `aws configure`",
        )?;
        aws.account = identity["Account"].as_str().context("AWS names no account")?.to_owned();
        aws.region = aws.find_region()?;
        Ok(aws)
    }

    fn find_region(&self) -> Result<String> {
        let set = |name: &str| self.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let known = ["AWS_REGION", "AWS_DEFAULT_REGION"];
        let named = known.iter().find_map(|name| set(name).or_else(|| std::env::var(name).ok()));
        if let Some(region) = named.filter(|region| !region.is_empty()) {
            return Ok(region);
        }
        let configured = command::output(self.command().args(["configure", "get", "region"])).unwrap_or_default();
        match configured.trim() {
            "" => bail!("no region is chosen: set AWS_REGION, such as eu-central-1"),
            region => Ok(region.to_owned()),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if !self.region.is_empty() {
            command.args(["--region", &self.region]);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<()> {
        command::run(self.command().args(arguments))
    }

    fn json(&self, arguments: &[&str]) -> Result<Value> {
        let text = command::output(self.command().args(["--output", "json"]).args(arguments))?;
        if text.trim().is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&text)?) }
    }
}

/// Packages the program, and deploys what the options say as whoever the command line tool acts for.
pub(crate) fn run(options: &Options) -> Result<()> {
    let aws = Aws::of_this_machine()?;
    let (file, architecture) = match &options.packaged {
        Some(file) => (file.clone(), options.artifact.arch.map_or_else(Architecture::of_this_machine, Ok)?),
        None => {
            let artifact = package::run(&options.artifact)?;
            (artifact.file, artifact.architecture)
        }
    };
    let outputs = deploy(&aws, options, &file, architecture)?;
    let address = |name: &str| outputs[name].as_str().unwrap_or_default().to_owned();
    eprintln!("\nThe gallery is at {}\nIts API is at     {}/", address("SiteUrl"), address("ApiUrl"));
    eprintln!("Check it as deploy/README.md says.");
    Ok(())
}

/// Deploys an artifact, and answers the stack's outputs by name.
pub(crate) fn deploy(aws: &Aws, options: &Options, artifact: &Path, architecture: Architecture) -> Result<Value> {
    let bucket = make_artifact_bucket(aws, &options.stack)?;
    let key = upload(aws, artifact, &bucket)?;
    let parameters = [
        format!("Store={}", options.artifact.store),
        format!("Architecture={architecture}"),
        format!("MailFrom={}", options.mail_from),
        format!("ArtifactBucket={bucket}"),
        format!("ArtifactKey={key}"),
    ];
    let template = workspace::root().join("deploy/template.yaml");
    let template = template.to_str().context("the path of the template is UTF-8")?;
    let mut deploy = aws.command();
    deploy.args(["cloudformation", "deploy", "--stack-name", &options.stack, "--template-file", template]);
    // Beyond a size, which comments make up, a template is taken from a bucket only.
    deploy.args(["--s3-bucket", &bucket, "--s3-prefix", "templates"]);
    deploy.args(["--capabilities", "CAPABILITY_NAMED_IAM", "--no-fail-on-empty-changeset", "--parameter-overrides"]);
    command::run(deploy.args(parameters).args(&options.parameters))?;

    let outputs = outputs(aws, &options.stack)?;
    if options.artifact.store == Store::Postgres {
        migrate(aws, &options.stack, &outputs)?;
    }
    publish_site(aws, &outputs)?;
    Ok(outputs)
}

/// Makes the bucket for programs, if it is absent.
fn make_artifact_bucket(aws: &Aws, stack: &str) -> Result<String> {
    let bucket = artifact_bucket(aws, stack);
    if aws.json(&["s3api", "head-bucket", "--bucket", &bucket]).is_err() {
        let place = format!("LocationConstraint={}", aws.region);
        let mut make = vec!["s3api", "create-bucket", "--bucket", &bucket];
        if aws.region != "us-east-1" {
            make.extend(["--create-bucket-configuration", &place]);
        }
        aws.json(&make)?;
        let all = "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true";
        let block =
            ["s3api", "put-public-access-block", "--bucket", &bucket, "--public-access-block-configuration", all];
        aws.json(&block)?;
    }
    Ok(bucket)
}

fn artifact_bucket(aws: &Aws, stack: &str) -> String {
    format!("{stack}-artifacts-{}-{}", aws.account, aws.region)
}

/// Uploads a program under the hash of its bytes, so that a new one is seen to be new.
fn upload(aws: &Aws, artifact: &Path, bucket: &str) -> Result<String> {
    let bytes = fs::read(artifact).with_context(|| format!("cannot read {}", artifact.display()))?;
    let key = format!("programs/{}.zip", data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes)));
    let file = artifact.to_str().context("the path of the artifact is UTF-8")?;
    aws.run(&["s3", "cp", "--only-show-errors", file, &format!("s3://{bucket}/{key}")])?;
    Ok(key)
}

fn outputs(aws: &Aws, stack: &str) -> Result<Value> {
    let described = aws.json(&["cloudformation", "describe-stacks", "--stack-name", stack])?;
    let outputs = workspace::list(&described["Stacks"][0], "Outputs");
    let named =
        outputs.filter_map(|output| Some((output["OutputKey"].as_str()?.to_owned(), output["OutputValue"].clone())));
    Ok(Value::Object(named.collect()))
}

/// Makes the database's roles, if the stack has a database of its own, and brings its schema up to date.
fn migrate(aws: &Aws, stack: &str, outputs: &Value) -> Result<()> {
    if let (Some(database), Some(secret)) = (outputs["DatabaseArn"].as_str(), outputs["DatabaseSecretArn"].as_str()) {
        let sql = |sql: &str| {
            let place = ["--resource-arn", database, "--secret-arn", secret, "--database", "gallery"];
            aws.json(&[&["rds-data", "execute-statement", "--sql", sql][..], &place].concat())
        };
        let known = sql("SELECT 1 FROM pg_roles WHERE rolname = 'gallery_owner'")?;
        if workspace::list(&known, "records").next().is_none() {
            let roles = fs::read_to_string(workspace::root().join("migrations/postgres/roles.sql"))?;
            for statement in statements(&roles) {
                sql(statement)?;
            }
            sql("GRANT rds_iam TO gallery_owner, gallery_app")?;
        }
    }
    let answer = tempfile::NamedTempFile::new()?;
    let path = answer.path().to_str().context("the path of a temporary file is UTF-8")?;
    let function = format!("{stack}-migrate");
    // As long as the function may take.
    let invoked = aws.json(&["lambda", "invoke", "--cli-read-timeout", "610", "--function-name", &function, path])?;
    let said = fs::read_to_string(path)?;
    if !invoked["FunctionError"].is_null() {
        bail!("the schema could not be brought up to date: {said}\nSee the log group /aws/lambda/{function}");
    }
    eprintln!("    the schema is up to date: {said}");
    Ok(())
}

/// The statements of a file of SQL: each ends with a `;` at the end of a line, but for those inside of `$$`.
fn statements(sql: &str) -> Vec<&str> {
    let (mut statements, mut start, mut quoted, mut at) = (Vec::new(), 0, false, 0);
    for line in sql.split_inclusive('\n') {
        at += line.len();
        quoted ^= line.matches("$$").count() % 2 == 1;
        if !quoted && line.trim_end().ends_with(';') && !line.trim_start().starts_with("--") {
            statements.push(sql[start..at].trim());
            start = at;
        }
    }
    statements
}

/// Puts the page into its bucket, with the address of the API, and has CloudFront fetch it anew.
fn publish_site(aws: &Aws, outputs: &Value) -> Result<()> {
    let bucket = outputs["SiteBucket"].as_str().context("the stack names its bucket for the page")?;
    let site = workspace::root().join("site/www");
    let site = site.to_str().context("the path of the page is UTF-8")?;
    let place = format!("s3://{bucket}");
    // Names of files stay the same when they change, so browsers have to ask; that they have the newest takes a few bytes.
    let fresh = ["--cache-control", "no-cache", "--only-show-errors"];
    aws.run(&[&["s3", "sync", site, &place, "--delete", "--exclude", "config.json"][..], &fresh].concat())?;
    let mut config = tempfile::Builder::new().suffix(".json").tempfile()?;
    write!(config, "{}", json!({ "api": outputs["ApiUrl"] }))?;
    let path = config.path().to_str().context("the path of a temporary file is UTF-8")?;
    let target = format!("{place}/config.json");
    aws.run(&[&["s3", "cp", path, &target, "--content-type", "application/json"][..], &fresh].concat())?;
    if let Some(distribution) = outputs["DistributionId"].as_str() {
        aws.json(&["cloudfront", "create-invalidation", "--distribution-id", distribution, "--paths", "/*"])?;
    }
    Ok(())
}

/// Says what is deleted and what stays, asks, and deletes the stack.
pub(crate) fn destroy(options: &DestroyOptions) -> Result<()> {
    let aws = Aws::of_this_machine()?;
    let stack = &options.stack;
    let outputs = outputs(&aws, stack).with_context(|| format!("there is no stack {stack} in {}", aws.region))?;
    eprintln!("{}", explanation(stack, &outputs));
    if !options.yes && !is_confirmed(stack)? {
        bail!("nothing was deleted");
    }
    if let Some(bucket) = outputs["SiteBucket"].as_str() {
        aws.run(&["s3", "rm", "--recursive", "--only-show-errors", &format!("s3://{bucket}")])?;
    }
    aws.run(&["cloudformation", "delete-stack", "--stack-name", stack])?;
    aws.run(&["cloudformation", "wait", "stack-delete-complete", "--stack-name", stack])?;
    let programs = format!("s3://{}", artifact_bucket(&aws, stack));
    aws.run(&["s3", "rb", "--force", &programs])?;
    eprintln!("The stack {stack} is deleted.");
    Ok(())
}

fn explanation(stack: &str, outputs: &Value) -> String {
    let mut kept = vec![format!("the bucket {} with every photo", outputs["PhotoBucket"].as_str().unwrap_or_default())];
    if outputs["DatabaseArn"].is_null() {
        kept.push("the tables of DynamoDB, or the database that the gallery was given".to_owned());
    } else {
        kept.push("a snapshot of the database, once you have turned off its protection against deletion".to_owned());
    }
    if let Some(pool) = outputs["UserPoolId"].as_str() {
        kept.push(format!("the user pool {pool} with everybody's passwords"));
    }
    let kept = kept.join("\n  - ");
    format!(
        "Deleting the stack {stack} removes the page, the API, the functions with their roles and logs, queues and alarms.\n\
         It keeps what people have put into it, until you delete that yourself:\n  - {kept}\n\
         What is kept costs what it takes to store, and a stack of the same name cannot be made beside it."
    )
}

fn is_confirmed(stack: &str) -> Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    eprint!("To delete the rest, type the name of the stack: ");
    io::stderr().flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim() == stack)
}

/// Short enough for the names of buckets that begin with it.
fn stack_name(text: &str) -> Result<String, String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let begins = text.starts_with(|first: char| first.is_ascii_lowercase());
    if is_plain && begins && text.len() <= 20 {
        Ok(text.to_owned())
    } else {
        Err("expected at most 20 lower-case letters, digits and dashes, a letter first: buckets are named so"
            .to_owned())
    }
}

fn parameter(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((name, _)) if !name.is_empty() => Ok(text.to_owned()),
        _ => Err("expected NAME=VALUE, such as Identity=password".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_sql_is_divided_into_its_statements() {
        let roles = fs::read_to_string(workspace::root().join("migrations/postgres/roles.sql")).unwrap();
        let statements = statements(&roles);
        assert!(statements[0].ends_with("CREATE ROLE gallery_owner LOGIN;"), "{:?}", statements[0]);
        assert!(statements.iter().any(|statement| statement.contains("DO $$") && statement.ends_with("$$;")));
        assert_eq!(statements.iter().map(|statement| statement.matches("CREATE ROLE").count()).sum::<usize>(), 2);
        assert!(!statements.iter().any(|statement| statement.lines().all(|line| line.starts_with("--"))));
    }

    #[test]
    fn what_is_kept_is_said_before_anything_is_deleted() {
        let said = explanation("it", &json!({"PhotoBucket": "it-photos", "UserPoolId": "eu_1"}));
        assert!(said.contains("it-photos with every photo") && said.contains("user pool eu_1"), "{said}");
        assert!(said.contains("tables of DynamoDB"), "{said}");
    }

    #[test]
    fn a_stack_has_a_name_that_buckets_can_begin_with() {
        assert!(stack_name("photo-gallery").is_ok());
        for name in ["Gallery", "1gallery", "", "a-name-that-is-too-long-for-it", "a_b"] {
            assert!(stack_name(name).is_err(), "{name}");
        }
    }
}
