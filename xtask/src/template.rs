//! The template of the deployment: whether AWS's own rules hold, what each role may do, and whether it agrees with the schema.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::permissions;
use crate::python::Package;
use crate::{command, workspace};

const CFN_LINT: Package = Package { name: "cfn-lint-1.58.0", packages: &["cfn-lint==1.58.0"], program: "cfn-lint" };
const TEMPLATE: &str = "deploy/template.yaml";

/// Prints a template as JSON, with the short forms of its functions written out.
const AS_JSON: &str = "import json, sys, cfnlint.decode\n\
    template, faults = cfnlint.decode.decode(sys.argv[1])\n\
    sys.exit(str(faults)) if faults else print(json.dumps(template, default=str))";

/// Asserts all of it, and reports everything that is wrong at once.
pub(crate) fn check() -> Result<()> {
    let lint = CFN_LINT.program()?;
    let path = workspace::root().join(TEMPLATE);
    command::run(Command::new(&lint).arg("--template").arg(&path))?;
    let python = lint.with_file_name("python");
    let json = command::output(Command::new(python).args(["-c", AS_JSON]).arg(&path))?;
    let template = Template(serde_json::from_str(&json).context("the template is not JSON")?);

    let mut faults = template.role_faults();
    faults.extend(template.bucket_faults());
    faults.extend(permissions::faults(&template.granted())?);
    faults.extend(template.table_faults(&workspace::root().join("migrations/dynamodb"))?);
    eprintln!("    {} roles, {} permissions", template.roles().count(), template.granted().len());
    if faults.is_empty() {
        return Ok(());
    }
    bail!("{TEMPLATE} breaks the rules:\n  {}", faults.join("\n  "));
}

/// A template with its functions written out, such as `{"Ref": "AWS::Region"}`.
struct Template(Value);

/// One of the statements of a role.
struct Statement<'t> {
    role: &'t str,
    sid: &'t str,
    actions: Vec<&'t str>,
    resources: Vec<&'t Value>,
}

impl Template {
    fn resources(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        let all = self.0["Resources"].as_object().into_iter().flatten();
        all.filter(move |(_, resource)| resource["Type"] == kind).map(|(name, resource)| (name.as_str(), resource))
    }

    fn roles(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.resources("AWS::IAM::Role")
    }

    /// Each statement of each role, in either case of a condition.
    fn statements(&self) -> Vec<Statement<'_>> {
        let mut found = Vec::new();
        for (role, resource) in self.roles() {
            for policy in workspace::list(&resource["Properties"], "Policies") {
                for statement in workspace::list(&policy["PolicyDocument"], "Statement").flat_map(cases) {
                    let sid = statement["Sid"].as_str().unwrap_or("(without Sid)");
                    let actions = one_or_many(&statement["Action"]).into_iter().filter_map(Value::as_str).collect();
                    let resources =
                        one_or_many(&statement["Resource"]).into_iter().flat_map(cases).flat_map(one_or_many);
                    found.push(Statement { role, sid, actions, resources: resources.collect() });
                }
            }
        }
        found
    }

    /// What any of the roles may do.
    fn granted(&self) -> BTreeSet<String> {
        self.statements()
            .iter()
            .flat_map(|statement| statement.actions.iter().map(|action| (*action).to_owned()))
            .collect()
    }

    /// What a role may that none should.
    fn role_faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut unused: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, role) in self.roles() {
            if !role["Properties"]["ManagedPolicyArns"].is_null() {
                faults.push(format!(
                    "{name} takes over a policy of AWS's: its own statements have to say what it may do"
                ));
            }
            let reasons = role["Metadata"]["AnyResource"].as_object().into_iter().flatten();
            unused.insert(name, reasons.map(|(sid, _)| sid.as_str()).collect());
        }
        for Statement { role, sid, actions, resources } in self.statements() {
            if actions.is_empty() || resources.is_empty() {
                faults.push(format!("{role}, {sid}: has no action, or no resource"));
            }
            let wild = actions.iter().filter(|action| action.contains('*'));
            faults.extend(wild.map(|action| format!("{role}, {sid}: {action} is many actions: name each")));
            if resources.iter().any(|resource| *resource == "*") {
                let explained = unused.get_mut(role).is_some_and(|reasons| reasons.remove(sid));
                if !explained {
                    let fault = "any resource, and Metadata.AnyResource of the role does not say why";
                    faults.push(format!("{role}, {sid}: {fault}"));
                }
            }
        }
        for (role, sids) in unused {
            faults
                .extend(sids.iter().map(|sid| format!("{role}: Metadata.AnyResource explains {sid}, which has none")));
        }
        faults
    }

    /// Buckets with photos are for nobody but their roles.
    fn bucket_faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, bucket) in self.resources("AWS::S3::Bucket") {
            let block = &bucket["Properties"]["PublicAccessBlockConfiguration"];
            let all = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
            // The page itself may be for everybody, where no CloudFront is in front of it.
            let is_blocked =
                |setting: &Value| *setting == true || (name == "SiteBucket" && setting["Fn::If"][1] == true);
            if !all.iter().all(|setting| is_blocked(&block[*setting])) {
                faults.push(format!("{name}: public access is not blocked"));
            }
        }
        let cors = self.0.pointer("/Resources/PhotoBucket/Properties/CorsConfiguration/CorsRules");
        let origins =
            cors.into_iter().flat_map(|rules| one_or_many(rules)).flat_map(|rule| one_or_many(&rule["AllowedOrigins"]));
        if origins.into_iter().any(|origin| *origin == "*") {
            faults.push("PhotoBucket: any page may use its URLs".to_owned());
        }
        faults
    }

    /// Where the tables are others than those that the program makes.
    fn table_faults(&self, definitions: &Path) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        for (resource, file) in [("PhotoTable", "PhotoGallery.json"), ("IndexTable", "PhotoGalleryIndex.json")] {
            let text = fs::read_to_string(definitions.join(file)).with_context(|| format!("cannot read {file}"))?;
            let definition: Value = serde_json::from_str(&text)?;
            let table = &self.0["Resources"][resource]["Properties"];
            for part in ["AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode"] {
                if table[part] != definition[part] {
                    faults.push(format!("{resource}: {part} is other than in migrations/dynamodb/{file}"));
                }
            }
            if table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] != true {
                faults.push(format!("{resource}: cannot be restored as of a point in time"));
            }
        }
        Ok(faults)
    }
}

/// A statement, or each of those between which a condition decides; "no value" is none.
fn cases(statement: &Value) -> Vec<&Value> {
    match statement["Fn::If"].as_array().map(Vec::as_slice) {
        Some([_, yes, no]) => cases(yes).into_iter().chain(cases(no)).collect(),
        _ if statement["Ref"] == "AWS::NoValue" => Vec::new(),
        _ => vec![statement],
    }
}

fn one_or_many(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(many) => many.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with_statement(statement: Value) -> Template {
        Template(json!({"Resources": {"Role": {
            "Type": "AWS::IAM::Role",
            "Metadata": {"AnyResource": {"Traces": "there are no names for these"}},
            "Properties": {"Policies": [{"PolicyDocument": {"Statement": [
                {"Sid": "Traces", "Action": "xray:PutTraceSegments", "Resource": "*"},
                {"Fn::If": ["IsIt", statement, {"Ref": "AWS::NoValue"}]},
            ]}}]},
        }}}))
    }

    #[test]
    fn a_role_that_may_too_much_is_named_with_its_statement() {
        let well = json!({"Sid": "Read", "Action": ["s3:GetObject"], "Resource": {"Fn::Sub": "${Bucket.Arn}/*"}});
        assert_eq!(with_statement(well).role_faults(), [""; 0]);
        for (statement, part) in [
            (json!({"Sid": "A", "Action": "s3:*", "Resource": "arn:x"}), "s3:* is many actions"),
            (json!({"Sid": "B", "Action": ["s3:Get*"], "Resource": "arn:x"}), "s3:Get* is many actions"),
            (json!({"Sid": "C", "Action": "s3:GetObject", "Resource": ["arn:x", "*"]}), "any resource"),
            (
                json!({"Sid": "E", "Action": "s3:GetObject", "Resource": {"Fn::If": ["IsIt", ["arn:x", "*"], "arn:y"]}}),
                "any resource",
            ),
            (json!({"Sid": "D", "NotAction": "s3:GetObject", "Resource": "arn:x"}), "no action"),
        ] {
            let faults = with_statement(statement).role_faults();
            assert!(faults.len() == 1 && faults[0].contains(part), "{faults:?}");
        }
        let mut template = with_statement(json!({"Ref": "AWS::NoValue"}));
        template.0["Resources"]["Role"]["Properties"]["ManagedPolicyArns"] =
            json!(["arn:aws:iam::aws:policy/AmazonS3FullAccess"]);
        assert!(template.role_faults()[0].contains("a policy of AWS's"));
    }

    #[test]
    fn a_reason_for_what_is_not_there_is_a_fault() {
        let mut template = with_statement(json!({"Ref": "AWS::NoValue"}));
        template.0["Resources"]["Role"]["Metadata"]["AnyResource"]["Gone"] = json!("because");
        assert_eq!(template.role_faults(), ["Role: Metadata.AnyResource explains Gone, which has none"]);
    }

    #[test]
    fn tables_have_to_be_those_that_the_program_makes() {
        let definitions = workspace::root().join("migrations/dynamodb");
        let template = Template(json!({"Resources": {}}));
        let faults = template.table_faults(&definitions).unwrap();
        assert!(
            faults.contains(&"PhotoTable: KeySchema is other than in migrations/dynamodb/PhotoGallery.json".to_owned())
        );
        assert!(faults.iter().any(|fault| fault.starts_with("IndexTable: GlobalSecondaryIndexes")), "{faults:?}");
    }
}
