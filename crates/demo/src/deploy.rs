//! The backend, part by part, in the order in which one needs another.

use std::io::Write;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::{Aws, CallFailed, REGION, text};

/// What was deployed, and where it is reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deployed {
    /// The user pool.
    pub user_pool_id: String,
    /// Its app client.
    pub client_id: String,
    /// The identity pool.
    pub identity_pool_id: String,
    /// The table.
    pub table: String,
    /// The bucket.
    pub bucket: String,
    /// The function's name.
    pub function: String,
    /// The API's path at the server: `/_aws/execute-api/API/STAGE`.
    pub api_path: String,
}

/// Where the sample is to run.
pub struct Place<'a> {
    /// The server's public URL, as browsers reach it.
    pub public_url: &'a str,
    /// The page's origin, which the API and the bucket let in.
    pub page_origin: &'a str,
}

const IAM: &str = "2010-05-08";
const TABLE: &str = "notes";
const FUNCTION: &str = "notes";
const STAGE: &str = "demo";
const HANDLER: &[u8] = include_bytes!("../../../examples/notes/function/notes.py");
/// Requests a second, and at once, that the stage lets through.
const RATE: (u32, u32) = (50, 100);

/// Deploys everything as administrator.
pub async fn deploy(admin: &Aws, place: &Place<'_>) -> Result<Deployed, CallFailed> {
    let account = account(admin).await?;
    let (user_pool_id, client_id) = user_pool(admin).await?;
    table(admin).await?;
    let bucket = bucket(admin, &account, place).await?;
    let function_arn = function(admin, &account, &bucket, place).await?;
    let api_path = api(admin, &account, &user_pool_id, &function_arn, place).await?;
    let identity_pool_id = identity_pool(admin, &account, &user_pool_id, &client_id, &bucket).await?;
    let deployed = Deployed {
        user_pool_id,
        client_id,
        identity_pool_id,
        table: TABLE.to_owned(),
        bucket,
        function: FUNCTION.to_owned(),
        api_path,
    };
    public_note(admin).await?;
    Ok(deployed)
}

async fn account(admin: &Aws) -> Result<String, CallFailed> {
    let answer = admin.query("sts", "2011-06-15", "GetCallerIdentity", &[]).await?;
    let account = answer.split_once("<Account>").and_then(|(_, rest)| rest.split_once("</Account>"));
    account
        .map(|(account, _)| account.to_owned())
        .ok_or_else(|| CallFailed::Unexpected("no account".to_owned()))
}

async fn user_pool(admin: &Aws) -> Result<(String, String), CallFailed> {
    let cognito = |operation: &str| format!("AWSCognitoIdentityProviderService.{operation}");
    let pool = json!({
        "PoolName": "notes", "UsernameAttributes": ["email"], "AutoVerifiedAttributes": ["email"],
        "Policies": {"PasswordPolicy": {"MinimumLength": 8, "RequireUppercase": false, "RequireLowercase": true,
            "RequireNumbers": true, "RequireSymbols": false}},
    });
    let pool = admin.json("cognito-idp", &cognito("CreateUserPool"), pool).await?;
    let pool_id = text(&pool, "/UserPool/Id")?;
    let client = json!({
        "UserPoolId": pool_id, "ClientName": "notes-page",
        "ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    });
    let client = admin.json("cognito-idp", &cognito("CreateUserPoolClient"), client).await?;
    Ok((pool_id, text(&client, "/UserPoolClient/ClientId")?))
}

async fn table(admin: &Aws) -> Result<(), CallFailed> {
    let table = json!({
        "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "owner", "AttributeType": "S"}, {"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
    });
    admin.json("dynamodb", "DynamoDB_20120810.CreateTable", table).await.map(|_| ())
}

/// The note that guests may read.
async fn public_note(admin: &Aws) -> Result<(), CallFailed> {
    let item = json!({"TableName": TABLE, "Item": {
        "owner": {"S": "public"}, "id": {"S": "welcome"}, "text": {"S": "Everybody may read this note."}}});
    admin.json("dynamodb", "DynamoDB_20120810.PutItem", item).await.map(|_| ())
}

async fn bucket(admin: &Aws, account: &str, place: &Place<'_>) -> Result<String, CallFailed> {
    let bucket = format!("notes-photos-{account}");
    let made = admin.send("s3", "PUT", &format!("/{bucket}"), &[], Vec::new()).await?;
    let rules = format!(
        "<CORSConfiguration><CORSRule><AllowedOrigin>{}</AllowedOrigin><AllowedMethod>GET</AllowedMethod>\
         <AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader></CORSRule></CORSConfiguration>",
        place.page_origin
    );
    let target = format!("/{bucket}?cors");
    let checksum = STANDARD.encode(digest(&SHA256, rules.as_bytes()));
    let headers = [("content-type", "application/xml"), ("x-amz-checksum-sha256", checksum.as_str())];
    let cors = admin.send("s3", "PUT", &target, &headers, rules.into_bytes()).await?;
    for answer in [made, cors] {
        if answer.status >= 300 {
            return Err(CallFailed::Refused {
                call: "the bucket".into(),
                status: answer.status,
                answer: answer.text(),
            });
        }
    }
    Ok(bucket)
}

async fn role(admin: &Aws, name: &str, trust: Value, policy: Value) -> Result<(), CallFailed> {
    let (trust, policy) = (trust.to_string(), policy.to_string());
    admin
        .query("iam", IAM, "CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", &trust)])
        .await?;
    let inline = [("RoleName", name), ("PolicyName", "what-it-needs"), ("PolicyDocument", policy.as_str())];
    admin.query("iam", IAM, "PutRolePolicy", &inline).await.map(|_| ())
}

fn policy(statements: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

async fn function(admin: &Aws, account: &str, bucket: &str, place: &Place<'_>) -> Result<String, CallFailed> {
    let trust = policy(
        json!([{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]),
    );
    let may = policy(json!([
        {"Effect": "Allow", "Action": ["dynamodb:Query", "dynamodb:PutItem"],
            "Resource": format!("arn:aws:dynamodb:{REGION}:{account}:table/{TABLE}")},
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": format!("arn:aws:s3:::{bucket}/*")},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{bucket}")},
        {"Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"},
    ]));
    role(admin, "notes-function", trust, may).await?;
    let input = json!({
        "FunctionName": FUNCTION, "Runtime": "python3.12", "Handler": "notes.handler", "Timeout": 10, "MemorySize": 256,
        "Role": format!("arn:aws:iam::{account}:role/notes-function"),
        "Code": {"ZipFile": STANDARD.encode(package()?)},
        "Environment": {"Variables": {
            "TABLE": TABLE, "BUCKET": bucket, "PUBLIC_URL": place.public_url, "PAGE": place.page_origin}},
    });
    let made = admin.rest("lambda", "POST", "/2015-03-31/functions", Some(input)).await?;
    text(&made, "/FunctionArn")
}

fn package() -> Result<Vec<u8>, CallFailed> {
    let failed = |error: String| CallFailed::Unexpected(format!("the function's package: {error}"));
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o644);
    zip.start_file("notes.py", options).map_err(|error| failed(error.to_string()))?;
    zip.write_all(HANDLER).map_err(|error| failed(error.to_string()))?;
    Ok(zip.finish().map_err(|error| failed(error.to_string()))?.into_inner())
}

async fn api(
    admin: &Aws,
    account: &str,
    user_pool_id: &str,
    function_arn: &str,
    place: &Place<'_>,
) -> Result<String, CallFailed> {
    let post = |path: String, input: Value| async move {
        admin.rest("apigateway", "POST", &path, Some(input)).await
    };
    let api = text(&post("/restapis".into(), json!({"name": "notes"})).await?, "/id")?;
    let authorizer = json!({
        "name": "people", "type": "COGNITO_USER_POOLS", "identitySource": "method.request.header.Authorization",
        "providerARNs": [format!("arn:aws:cognito-idp:{REGION}:{account}:userpool/{user_pool_id}")],
    });
    let authorizer = text(&post(format!("/restapis/{api}/authorizers"), authorizer).await?, "/id")?;
    let resources = admin.rest("apigateway", "GET", &format!("/restapis/{api}/resources"), None).await?;
    let root = text(&resources, "/item/0/id").or_else(|_| text(&resources, "/_embedded/item/id"))?;
    for path in ["notes", "photos"] {
        let made = post(format!("/restapis/{api}/resources/{root}"), json!({"pathPart": path})).await?;
        let resource = format!("/restapis/{api}/resources/{}", text(&made, "/id")?);
        for method in ["GET", "POST"] {
            protected_method(admin, &resource, method, &authorizer, function_arn).await?;
        }
        preflight(admin, &resource, place).await?;
    }
    let source = format!("arn:aws:execute-api:{REGION}:{account}:{api}/*");
    let permission = json!({
        "StatementId": "the-notes-api", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
        "SourceArn": source,
    });
    admin
        .rest("lambda", "POST", &format!("/2015-03-31/functions/{FUNCTION}/policy"), Some(permission))
        .await?;
    post(format!("/restapis/{api}/deployments"), json!({"stageName": STAGE})).await?;
    stage(admin, account, &api).await?;
    Ok(format!("/_aws/execute-api/{api}/{STAGE}"))
}

async fn protected_method(
    admin: &Aws,
    resource: &str,
    method: &str,
    authorizer: &str,
    function_arn: &str,
) -> Result<(), CallFailed> {
    let input = json!({"authorizationType": "COGNITO_USER_POOLS", "authorizerId": authorizer});
    admin.rest("apigateway", "PUT", &format!("{resource}/methods/{method}"), Some(input)).await?;
    let uri =
        format!("arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function_arn}/invocations");
    let integration = json!({"type": "AWS_PROXY", "httpMethod": "POST", "uri": uri});
    let path = format!("{resource}/methods/{method}/integration");
    admin.rest("apigateway", "PUT", &path, Some(integration)).await.map(|_| ())
}

/// The answer to a browser's preflight: a `MOCK` integration whose response names the page's origin.
async fn preflight(admin: &Aws, resource: &str, place: &Place<'_>) -> Result<(), CallFailed> {
    let put =
        |path: String, input: Value| async move { admin.rest("apigateway", "PUT", &path, Some(input)).await };
    let method = format!("{resource}/methods/OPTIONS");
    put(method.clone(), json!({"authorizationType": "NONE"})).await?;
    let template = json!({"type": "MOCK", "requestTemplates": {"application/json": "{\"statusCode\": 200}"}});
    put(format!("{method}/integration"), template).await?;
    let header = |name: &str| format!("method.response.header.Access-Control-Allow-{name}");
    let declared = json!({(header("Origin")): true, (header("Methods")): true, (header("Headers")): true});
    put(format!("{method}/responses/200"), json!({"responseParameters": declared})).await?;
    let said = json!({
        (header("Origin")): format!("'{}'", place.page_origin), (header("Methods")): "'GET,POST'",
        (header("Headers")): "'authorization,content-type'",
    });
    put(format!("{method}/integration/responses/200"), json!({"responseParameters": said})).await?;
    Ok(())
}

async fn stage(admin: &Aws, account: &str, api: &str) -> Result<(), CallFailed> {
    let group = "notes-api-access";
    admin.json("logs", "Logs_20140328.CreateLogGroup", json!({"logGroupName": group})).await?;
    let replace = |path: &str, value: String| json!({"op": "replace", "path": path, "value": value});
    let format = "$context.requestId $context.httpMethod $context.resourcePath $context.status $context.authorizer.claims.sub";
    let operations = json!({"patchOperations": [
        replace("/*/*/throttling/rateLimit", RATE.0.to_string()),
        replace("/*/*/throttling/burstLimit", RATE.1.to_string()),
        replace("/accessLogSettings/destinationArn", format!("arn:aws:logs:{REGION}:{account}:log-group:{group}")),
        replace("/accessLogSettings/format", format.to_owned()),
    ]});
    let path = format!("/restapis/{api}/stages/{STAGE}");
    admin.rest("apigateway", "PATCH", &path, Some(operations)).await.map(|_| ())
}

async fn identity_pool(
    admin: &Aws,
    account: &str,
    user_pool_id: &str,
    client_id: &str,
    bucket: &str,
) -> Result<String, CallFailed> {
    let call = |operation: &str| format!("AWSCognitoIdentityService.{operation}");
    let pool = json!({
        "IdentityPoolName": "notes", "AllowUnauthenticatedIdentities": true,
        "CognitoIdentityProviders": [{
            "ProviderName": format!("cognito-idp.{REGION}.amazonaws.com/{user_pool_id}"), "ClientId": client_id}],
    });
    let pool = admin.json("cognito-identity", &call("CreateIdentityPool"), pool).await?;
    let pool_id = text(&pool, "/IdentityPoolId")?;
    let table = format!("arn:aws:dynamodb:{REGION}:{account}:table/{TABLE}");
    let own = "${cognito-identity.amazonaws.com:sub}";
    let guest = policy(json!([{
        "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": table,
        "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["public"]}, "Null": {"dynamodb:LeadingKeys": "false"}},
    }]));
    let user = policy(json!([
        {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], "Resource": table,
            "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [own]}, "Null": {"dynamodb:LeadingKeys": "false"}}},
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": format!("arn:aws:s3:::{bucket}/{own}/*")},
    ]));
    for (name, kind, may) in
        [("notes-guest", "unauthenticated", guest), ("notes-user", "authenticated", user)]
    {
        role(admin, name, trust_of(&pool_id, kind), may).await?;
    }
    let arn = |name: &str| format!("arn:aws:iam::{account}:role/{name}");
    let roles = json!({"unauthenticated": arn("notes-guest"), "authenticated": arn("notes-user")});
    let input = json!({"IdentityPoolId": pool_id, "Roles": roles});
    admin.json("cognito-identity", &call("SetIdentityPoolRoles"), input).await?;
    Ok(pool_id)
}

fn trust_of(pool_id: &str, kind: &str) -> Value {
    policy(json!([{
        "Effect": "Allow", "Principal": {"Federated": "cognito-identity.amazonaws.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {"cognito-identity.amazonaws.com:aud": pool_id},
            "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": kind},
        },
    }]))
}
