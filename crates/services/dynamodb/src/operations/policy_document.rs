//! What may stand in the policy of a table or a stream, beyond what policies are anyway.

use homeport_policy::{Policy, PolicyFault, PolicyKind};
use serde::Deserialize;
use serde_json::Value;

use crate::error::Invalid;

/// A policy has at most so many bytes.
const MAX_POLICY: usize = 20 * 1024;
/// What a table's policy may speak of (Service Authorization Reference: the actions on tables and indexes, without those
/// on backups, exports and imports, to which a table's policy does not apply). The operations that take statements have
/// no rights of their own, so they are none of these.
const TABLE_ACTIONS: &[&str] = &[
    "AssociateTableReplica",
    "BatchGetItem",
    "BatchWriteItem",
    "ConditionCheckItem",
    "CreateBackup",
    "CreateGlobalTable",
    "CreateGlobalTableWitness",
    "CreateTable",
    "CreateTableReplica",
    "DeleteGlobalTableWitness",
    "DeleteItem",
    "DeleteResourcePolicy",
    "DeleteTable",
    "DeleteTableReplica",
    "DescribeContinuousBackups",
    "DescribeContributorInsights",
    "DescribeKinesisStreamingDestination",
    "DescribeTable",
    "DescribeTableReplicaAutoScaling",
    "DescribeTimeToLive",
    "DisableKinesisStreamingDestination",
    "DisassociateTableReplica",
    "EnableKinesisStreamingDestination",
    "ExportTableToPointInTime",
    "GetItem",
    "GetResourcePolicy",
    "ListTagsOfResource",
    "PartiQLDelete",
    "PartiQLInsert",
    "PartiQLSelect",
    "PartiQLUpdate",
    "PutItem",
    "PutResourcePolicy",
    "Query",
    "ReadDataForReplication",
    "ReplicateSettings",
    "RestoreTableToPointInTime",
    "Scan",
    "SearchVectors",
    "StartAwsBackupJob",
    "TagResource",
    "UntagResource",
    "UpdateContinuousBackups",
    "UpdateContributorInsights",
    "UpdateGlobalTable",
    "UpdateGlobalTableVersion",
    "UpdateItem",
    "UpdateKinesisStreamingDestination",
    "UpdateTable",
    "UpdateTableReplicaAutoScaling",
    "UpdateTimeToLive",
    "WriteDataForReplication",
];
/// What a stream's policy may speak of.
const STREAM_ACTIONS: &[&str] = &[
    "DeleteResourcePolicy",
    "DescribeStream",
    "GetRecords",
    "GetResourcePolicy",
    "GetShardIterator",
    "ListTagsOfResource",
    "PutResourcePolicy",
    "TagResource",
    "UntagResource",
];

/// What is looked at of a text that was found to be a policy.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    statement: Many<Statement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: String,
    principal: Option<Value>,
    not_principal: Option<Value>,
    action: Option<Many<String>>,
    condition: Option<Value>,
}

/// A list, or its one member.
#[derive(Deserialize)]
#[serde(untagged)]
enum Many<T> {
    One(T),
    All(Vec<T>),
}

impl<T> Many<T> {
    fn members(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::All(all) => all,
        }
    }
}

/// Reads the policy of a table; refuses a text that can be none.
pub(super) fn of_table(text: &str) -> Result<Policy, Invalid> {
    read(text, TABLE_ACTIONS)
}

/// Reads the policy of what this ARN names: a stream, or else a table.
pub(super) fn of_resource(arn: &str, text: &str) -> Result<Policy, Invalid> {
    read(text, if arn.contains("/stream/") { STREAM_ACTIONS } else { TABLE_ACTIONS })
}

/// The words for a document that is no policy of the resource.
pub(super) fn no_policy(why: impl std::fmt::Display) -> Invalid {
    Invalid::Parameter(format!("Invalid policy document: {why}"))
}

fn read(text: &str, actions: &[&str]) -> Result<Policy, Invalid> {
    if text.len() > MAX_POLICY {
        return Err(Invalid::Parameter(format!("Maximum policy size of {MAX_POLICY} bytes exceeded")));
    }
    let policy = Policy::parse(text, PolicyKind::Resource).map_err(|fault| no_policy(said_of(&fault)))?;
    let document: Document =
        serde_json::from_str(text).map_err(|_| no_policy(said_of(&PolicyFault::Syntax)))?;
    let statements = document.statement.members();
    check_actions(statements, actions)?;
    if statements.iter().any(Statement::is_unbounded) {
        return Err(Invalid::Table(
            "Resource-based policy grants unbounded access in one or more elements. Please revise the policy to ensure least-privilege form of access"
                .to_owned(),
        ));
    }
    Ok(policy)
}

/// The fault in DynamoDB's words, which for some are not IAM's.
fn said_of(fault: &PolicyFault) -> String {
    match fault {
        PolicyFault::Syntax => "This policy contains invalid Json".to_owned(),
        PolicyFault::MissingField("Statement") => {
            "Could not parse the policy: Statement is empty!".to_owned()
        }
        PolicyFault::NoResources => "Missing required field Resource".to_owned(),
        PolicyFault::DuplicateSid => "The Statement Ids in the policy are not unique".to_owned(),
        fault => fault.to_string(),
    }
}

/// Refuses actions that nobody can do to the resource.
fn check_actions(statements: &[Statement], actions: &[&str]) -> Result<(), Invalid> {
    let named = statements.iter().flat_map(|statement| statement.action.iter().flat_map(Many::members));
    let strange = named.filter(|action| !is_one_of(action, actions));
    let strange: Vec<String> = strange.map(|action| format!("\"{action}\"")).collect();
    if strange.is_empty() {
        return Ok(());
    }
    Err(no_policy(format!("The following action names are invalid: {}", strange.join(", "))))
}

/// Whether the action is one of these. A pattern may be any of them.
fn is_one_of(action: &str, actions: &[&str]) -> bool {
    if action.contains(['*', '?']) {
        return true;
    }
    let Some((service, name)) = action.split_once(':') else { return false };
    service.eq_ignore_ascii_case("dynamodb") && actions.iter().any(|known| known.eq_ignore_ascii_case(name))
}

impl Statement {
    /// Whether it lets in everybody, whatever they come with.
    fn is_unbounded(&self) -> bool {
        // An operator without keys asks for nothing.
        let asks = |keys: &Value| keys.as_object().is_some_and(|keys| !keys.is_empty());
        let operators = self.condition.as_ref().and_then(Value::as_object);
        let is_bound = operators.is_some_and(|operators| operators.values().any(asks));
        // Who is anybody but some is everybody else.
        let lets_in_all =
            self.not_principal.is_some() || self.principal.as_ref().is_some_and(names_everybody);
        self.effect == "Allow" && !is_bound && lets_in_all
    }
}

/// Whether a `Principal` names everybody: `"*"`, or `{"AWS": "*"}`, also among others.
fn names_everybody(principal: &Value) -> bool {
    match principal {
        Value::String(text) => text == "*",
        Value::Array(names) => names.iter().any(names_everybody),
        Value::Object(kinds) => kinds.values().any(names_everybody),
        _ => false,
    }
}
