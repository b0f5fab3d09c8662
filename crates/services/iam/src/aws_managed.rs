//! AWS's own managed policies that mobile backends name, with the permissions that make sense here.
//! Source: the AWS Managed Policy Reference.

/// A policy that every account has.
#[derive(Debug)]
pub(crate) struct AwsPolicy {
    pub(crate) name: &'static str,
    /// `/`, or `/service-role/`.
    pub(crate) path: &'static str,
    pub(crate) arn: &'static str,
    /// `ANPA…`, the same everywhere.
    pub(crate) id: &'static str,
    pub(crate) document: &'static str,
}

/// The policy of this ARN.
pub(crate) fn find(arn: &str) -> Option<&'static AwsPolicy> {
    ALL.iter().find(|policy| policy.arn == arn)
}

/// All of them, ordered by ARN.
pub(crate) const ALL: &[AwsPolicy] = &[
    AwsPolicy {
        name: "AWSLambda_FullAccess",
        path: "/",
        arn: "arn:aws:iam::aws:policy/AWSLambda_FullAccess",
        id: "ANPAHOMEPORTLAMBDAALL",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lambda:*","logs:DescribeLogGroups","iam:GetPolicy","iam:GetPolicyVersion","iam:GetRole","iam:GetRolePolicy","iam:ListAttachedRolePolicies","iam:ListRolePolicies","iam:ListRoles"],"Resource":"*"},{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}},{"Effect":"Allow","Action":["logs:DescribeLogStreams","logs:GetLogEvents","logs:FilterLogEvents"],"Resource":"arn:aws:logs:*:*:log-group:/aws/lambda/*"}]}"#,
    },
    AwsPolicy {
        name: "AdministratorAccess",
        path: "/",
        arn: "arn:aws:iam::aws:policy/AdministratorAccess",
        id: "ANPAHOMEPORTADMINISTR",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
    },
    AwsPolicy {
        name: "AmazonAPIGatewayInvokeFullAccess",
        path: "/",
        arn: "arn:aws:iam::aws:policy/AmazonAPIGatewayInvokeFullAccess",
        id: "ANPAHOMEPORTAPIINVOKE",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["execute-api:Invoke","execute-api:ManageConnections"],"Resource":"arn:aws:execute-api:*:*:*"}]}"#,
    },
    AwsPolicy {
        name: "AmazonCognitoPowerUser",
        path: "/",
        arn: "arn:aws:iam::aws:policy/AmazonCognitoPowerUser",
        id: "ANPAHOMEPORTCOGNITOPU",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cognito-identity:*","cognito-idp:*","cognito-sync:*","iam:ListRoles","iam:ListOpenIdConnectProviders"],"Resource":"*"}]}"#,
    },
    AwsPolicy {
        name: "AmazonCognitoReadOnly",
        path: "/",
        arn: "arn:aws:iam::aws:policy/AmazonCognitoReadOnly",
        id: "ANPAHOMEPORTCOGNITORO",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cognito-identity:Describe*","cognito-identity:Get*","cognito-identity:List*","cognito-idp:Describe*","cognito-idp:AdminGet*","cognito-idp:AdminList*","cognito-idp:List*","cognito-idp:Get*","iam:ListRoles"],"Resource":"*"}]}"#,
    },
    AwsPolicy {
        name: "AmazonDynamoDBFullAccess",
        path: "/",
        arn: "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess",
        id: "ANPAHOMEPORTDYNAMOALL",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:*"],"Resource":"*"}]}"#,
    },
    AwsPolicy {
        name: "AmazonDynamoDBReadOnlyAccess",
        path: "/",
        arn: "arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess",
        id: "ANPAHOMEPORTDYNAMOREA",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:BatchGetItem","dynamodb:Describe*","dynamodb:Get*","dynamodb:List*","dynamodb:PartiQLSelect","dynamodb:Query","dynamodb:Scan"],"Resource":"*"}]}"#,
    },
    AwsPolicy {
        name: "AmazonS3FullAccess",
        path: "/",
        arn: "arn:aws:iam::aws:policy/AmazonS3FullAccess",
        id: "ANPAHOMEPORTS3FULLACC",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":"*"}]}"#,
    },
    AwsPolicy {
        name: "AmazonS3ReadOnlyAccess",
        path: "/",
        arn: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
        id: "ANPAHOMEPORTS3READONL",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*","s3:Describe*"],"Resource":"*"}]}"#,
    },
    AwsPolicy {
        name: "CloudWatchLogsFullAccess",
        path: "/",
        arn: "arn:aws:iam::aws:policy/CloudWatchLogsFullAccess",
        id: "ANPAHOMEPORTLOGSFULLA",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:*"],"Resource":"*"}]}"#,
    },
    AwsPolicy {
        name: "IAMFullAccess",
        path: "/",
        arn: "arn:aws:iam::aws:policy/IAMFullAccess",
        id: "ANPAHOMEPORTIAMFULLAC",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*"],"Resource":"*"}]}"#,
    },
    AwsPolicy {
        name: "IAMReadOnlyAccess",
        path: "/",
        arn: "arn:aws:iam::aws:policy/IAMReadOnlyAccess",
        id: "ANPAHOMEPORTIAMREADON",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:Get*","iam:List*"],"Resource":"*"}]}"#,
    },
    AwsPolicy {
        name: "PowerUserAccess",
        path: "/",
        arn: "arn:aws:iam::aws:policy/PowerUserAccess",
        id: "ANPAHOMEPORTPOWERUSER",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"},{"Effect":"Allow","Action":["iam:CreateServiceLinkedRole","iam:DeleteServiceLinkedRole","iam:ListRoles"],"Resource":"*"}]}"#,
    },
    AwsPolicy {
        name: "ReadOnlyAccess",
        path: "/",
        arn: "arn:aws:iam::aws:policy/ReadOnlyAccess",
        id: "ANPAHOMEPORTREADONLYA",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["apigateway:GET","cloudtrail:Describe*","cloudtrail:Get*","cloudtrail:List*","cloudtrail:LookupEvents","cognito-identity:Describe*","cognito-identity:List*","cognito-identity:GetIdentityPoolRoles","cognito-idp:AdminGetUser","cognito-idp:AdminList*","cognito-idp:Describe*","cognito-idp:List*","dynamodb:BatchGet*","dynamodb:Describe*","dynamodb:Get*","dynamodb:List*","dynamodb:Query","dynamodb:Scan","iam:Get*","iam:List*","lambda:Get*","lambda:List*","logs:Describe*","logs:FilterLogEvents","logs:Get*","logs:List*","s3:Get*","s3:List*"],"Resource":"*"}]}"#,
    },
    AwsPolicy {
        name: "AWSLambdaBasicExecutionRole",
        path: "/service-role/",
        arn: "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        id: "ANPAHOMEPORTLAMBDABAS",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}"#,
    },
    AwsPolicy {
        name: "AWSLambdaDynamoDBExecutionRole",
        path: "/service-role/",
        arn: "arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole",
        id: "ANPAHOMEPORTLAMBDADDB",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:DescribeStream","dynamodb:GetRecords","dynamodb:GetShardIterator","dynamodb:ListStreams","logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}"#,
    },
    AwsPolicy {
        name: "AWSLambdaRole",
        path: "/service-role/",
        arn: "arn:aws:iam::aws:policy/service-role/AWSLambdaRole",
        id: "ANPAHOMEPORTLAMBDAROL",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lambda:InvokeFunction"],"Resource":["*"]}]}"#,
    },
    AwsPolicy {
        name: "AmazonAPIGatewayPushToCloudWatchLogs",
        path: "/service-role/",
        arn: "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
        id: "ANPAHOMEPORTAPIPUSHLO",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:DescribeLogGroups","logs:DescribeLogStreams","logs:PutLogEvents","logs:GetLogEvents","logs:FilterLogEvents"],"Resource":"*"}]}"#,
    },
];

#[cfg(test)]
mod tests {
    use homeport_policy::{Policy, PolicyKind};

    use super::*;

    #[test]
    fn each_is_a_policy_under_its_own_name() {
        for policy in ALL {
            assert!(Policy::parse(policy.document, PolicyKind::Identity).is_ok(), "{}", policy.name);
            assert_eq!(policy.arn, format!("arn:aws:iam::aws:policy{}{}", policy.path, policy.name));
            assert_eq!(policy.id.len(), 21, "{}", policy.name);
        }
        assert!(ALL.is_sorted_by_key(|policy| policy.arn));
    }

    #[test]
    fn no_two_share_an_id() {
        let mut ids: Vec<_> = ALL.iter().map(|policy| policy.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ALL.len());
    }
}
