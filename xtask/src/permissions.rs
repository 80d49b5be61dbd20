//! Which permissions the code needs: read from the calls of AWS that stand in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result};
use walkdir::WalkDir;

use crate::workspace;

/// Who makes a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caller {
    /// The functions.
    Function,
    /// Whoever sets a gallery up, at the console: `gallery provision` and `gallery doctor`.
    Operator,
    /// The functions, but only with a database that was there before them.
    Elsewhere,
}

use Caller::{Elsewhere, Function, Operator};

/// Each call in a folder of `gallery-adapters/src`, and what it needs.
const CALLS: &[(&str, &str, Caller, &[&str])] = &[
    ("aws", "get_secret_value", Elsewhere, &["secretsmanager:GetSecretValue"]),
    ("cognito", "admin_create_user", Function, &["cognito-idp:AdminCreateUser"]),
    ("cognito", "admin_delete_user", Function, &["cognito-idp:AdminDeleteUser"]),
    ("cognito", "admin_get_user", Function, &["cognito-idp:AdminGetUser"]),
    ("cognito", "admin_initiate_auth", Function, &["cognito-idp:AdminInitiateAuth"]),
    ("cognito", "admin_set_user_password", Function, &["cognito-idp:AdminSetUserPassword"]),
    ("cognito", "admin_update_user_attributes", Function, &["cognito-idp:AdminUpdateUserAttributes"]),
    ("cognito", "admin_user_global_sign_out", Function, &["cognito-idp:AdminUserGlobalSignOut"]),
    // By the user's own token.
    ("cognito", "change_password", Function, &[]),
    ("cognito", "create_user_pool", Operator, &["cognito-idp:CreateUserPool"]),
    ("cognito", "create_user_pool_client", Operator, &["cognito-idp:CreateUserPoolClient"]),
    ("cognito", "describe_user_pool", Operator, &["cognito-idp:DescribeUserPool"]),
    ("cognito", "describe_user_pool_client", Operator, &["cognito-idp:DescribeUserPoolClient"]),
    ("dynamodb", "batch_get_item", Function, &["dynamodb:BatchGetItem"]),
    ("dynamodb", "batch_write_item", Function, &["dynamodb:BatchWriteItem"]),
    ("dynamodb", "create_table", Operator, &["dynamodb:CreateTable"]),
    ("dynamodb", "delete_item", Function, &["dynamodb:DeleteItem"]),
    ("dynamodb", "describe_continuous_backups", Operator, &["dynamodb:DescribeContinuousBackups"]),
    ("dynamodb", "describe_table", Operator, &["dynamodb:DescribeTable"]),
    ("dynamodb", "describe_time_to_live", Operator, &["dynamodb:DescribeTimeToLive"]),
    ("dynamodb", "get_item", Function, &["dynamodb:GetItem"]),
    ("dynamodb", "put_item", Function, &["dynamodb:PutItem"]),
    ("dynamodb", "query", Function, &["dynamodb:Query"]),
    (
        "dynamodb",
        "transact_write_items",
        Function,
        &["dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
    ),
    ("dynamodb", "update_continuous_backups", Operator, &["dynamodb:UpdateContinuousBackups"]),
    ("dynamodb", "update_item", Function, &["dynamodb:UpdateItem"]),
    ("dynamodb", "update_table", Operator, &["dynamodb:UpdateTable"]),
    ("dynamodb", "update_time_to_live", Operator, &["dynamodb:UpdateTimeToLive"]),
    ("mail", "get_account", Operator, &["ses:GetAccount"]),
    ("mail", "send_email", Function, &["ses:SendEmail"]),
    ("s3", "abort_multipart_upload", Function, &["s3:AbortMultipartUpload"]),
    ("s3", "complete_multipart_upload", Function, &["s3:PutObject"]),
    ("s3", "copy_object", Function, &["s3:GetObject", "s3:PutObject"]),
    ("s3", "create_bucket", Operator, &["s3:CreateBucket"]),
    ("s3", "create_multipart_upload", Function, &["s3:PutObject"]),
    ("s3", "delete_objects", Function, &["s3:DeleteObject"]),
    ("s3", "get_bucket_cors", Operator, &["s3:GetBucketCORS"]),
    ("s3", "get_bucket_lifecycle_configuration", Operator, &["s3:GetLifecycleConfiguration"]),
    ("s3", "get_bucket_policy", Operator, &["s3:GetBucketPolicy"]),
    ("s3", "get_bucket_versioning", Operator, &["s3:GetBucketVersioning"]),
    ("s3", "get_object", Function, &["s3:GetObject"]),
    ("s3", "get_public_access_block", Operator, &["s3:GetBucketPublicAccessBlock"]),
    ("s3", "head_bucket", Operator, &["s3:ListBucket"]),
    ("s3", "head_object", Function, &["s3:GetObject"]),
    ("s3", "list_objects_v2", Function, &["s3:ListBucket"]),
    ("s3", "put_bucket_cors", Operator, &["s3:PutBucketCORS"]),
    ("s3", "put_bucket_lifecycle_configuration", Operator, &["s3:PutLifecycleConfiguration"]),
    ("s3", "put_bucket_policy", Operator, &["s3:PutBucketPolicy"]),
    ("s3", "put_bucket_versioning", Operator, &["s3:PutBucketVersioning"]),
    ("s3", "put_object", Function, &["s3:PutObject"]),
    ("s3", "put_public_access_block", Operator, &["s3:PutBucketPublicAccessBlock"]),
    ("s3", "upload_part", Function, &["s3:PutObject"]),
];

/// What no call asks for, but AWS itself does on a function's behalf.
const OF_THE_PLATFORM: &[&str] = &[
    // Its log.
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    // Its traces.
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
    // The queue whose messages it is invoked with.
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    // Its place in the database's network.
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
    // A token that is signed without a call: gallery-adapters/src/aws/rds_token.rs.
    "rds-db:connect",
];

/// What is granted and not needed, needed and not granted, or called and not listed here.
pub(crate) fn faults(granted: &BTreeSet<String>) -> Result<Vec<String>> {
    let called = calls()?;
    let mut faults = Vec::new();
    for (folder, call) in &called {
        if !CALLS.iter().any(|(known, name, ..)| known == folder && name == call) {
            let place = "xtask/src/permissions.rs";
            faults
                .push(format!("gallery-adapters/src/{folder} calls {call}: say in {place} what permission that needs"));
        }
    }
    let mut needed: BTreeSet<_> = OF_THE_PLATFORM.iter().map(|action| (*action).to_owned()).collect();
    for (folder, call, caller, actions) in CALLS {
        if !called.contains(&((*folder).to_owned(), (*call).to_owned())) {
            faults.push(format!(
                "gallery-adapters/src/{folder} calls no {call} any more: take it out of xtask/src/permissions.rs"
            ));
        } else if *caller == Function {
            needed.extend(actions.iter().map(|action| (*action).to_owned()));
        }
    }
    faults.extend(granted.difference(&needed).map(|action| format!("no code needs {action}")));
    faults.extend(needed.difference(granted).map(|action| format!("the code needs {action}, which no role may")));
    Ok(faults)
}

/// The calls of clients of AWS that stand in the adapters, but for those that stand in tests.
fn calls() -> Result<BTreeSet<(String, String)>> {
    let mut found = BTreeSet::new();
    let folders: BTreeMap<_, Vec<_>> = CALLS.iter().fold(BTreeMap::new(), |mut folders, (folder, call, ..)| {
        folders.entry(*folder).or_insert_with(Vec::new).push(*call);
        folders
    });
    for (folder, known) in folders {
        let place = workspace::root().join("gallery-adapters/src").join(folder);
        for entry in WalkDir::new(&place) {
            let entry = entry.with_context(|| format!("cannot read {}", place.display()))?;
            if entry.path().extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(entry.path())?;
                let source = source.split("#[cfg(test)]").next().unwrap_or_default();
                found.extend(calls_in(source, &known).map(|call| (folder.to_owned(), call)));
            }
        }
    }
    Ok(found)
}

/// What is called of a client, and of whatever has a name that is known to be a call.
fn calls_in<'s>(source: &'s str, known: &'s [&str]) -> impl Iterator<Item = String> + 's {
    /// What a client has beside its calls.
    const NO_CALLS: [&str; 6] =
        ["as_str", "client_id", "client_secret", "config", "explicit_auth_flows", "prevent_user_existence_errors"];
    let pieces = source.split('.').collect::<Vec<_>>();
    let calls = pieces.windows(2).filter_map(|pair| {
        let name = pair[1].split_once("()")?.0;
        let is_name = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit());
        let of_a_client = pair[0].trim_end().ends_with("self.client")
            || pair[0].trim_end().trim_end_matches("()").ends_with("client");
        let of_the_store = known.contains(&name);
        (is_name && (of_a_client || of_the_store) && !NO_CALLS.contains(&name)).then(|| name.to_owned())
    });
    calls.collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_found_across_lines() {
        let source = "self.client.get_item().table_name(x);\nstore\n    .client()\n    .query()\n    .send(); client.config().region(); a.len();";
        let calls: Vec<_> = calls_in(source, &["query"]).collect();
        assert_eq!(calls, ["get_item", "query"]);
    }

    #[test]
    fn a_permission_too_many_and_one_too_few_are_both_faults() {
        let needed = |caller: Caller| CALLS.iter().filter(move |call| call.2 == caller).flat_map(|call| call.3.iter());
        let all: BTreeSet<String> =
            needed(Function).chain(OF_THE_PLATFORM).map(|action| (*action).to_owned()).collect();
        assert_eq!(faults(&all).unwrap(), [""; 0]);
        let mut more = all.clone();
        more.insert("s3:DeleteBucket".to_owned());
        assert_eq!(faults(&more).unwrap(), ["no code needs s3:DeleteBucket"]);
        let mut fewer = all;
        fewer.remove("s3:DeleteObject");
        assert_eq!(faults(&fewer).unwrap(), ["the code needs s3:DeleteObject, which no role may"]);
    }
}
