use serde_json::json;

use crate::app::{ACCOUNT, MAY_ASSUME, ROLE, allow, assume, call, house, list_users, trusts_account, with};

#[tokio::test]
async fn a_session_acts_as_its_role_and_as_nothing_else() {
    let house = house();
    let ada = house.user("ada", MAY_ASSUME).await;
    house.role(trusts_account(), &["iam:ListUsers"]).await;
    list_users(&ada).await.refused("AccessDenied", 403);
    let assumed = call(&ada, "AssumeRole", assume()).await.ok();
    assert!(assumed.element("AccessKeyId").unwrap().starts_with("ASIA"));
    assert_eq!(assumed.element("SecretAccessKey").unwrap().len(), 40);
    let session = house.session(&assumed);
    list_users(&session).await.ok();
    session.call("iam", "ListRoles", json!({})).await.refused("AccessDenied", 403);
    let me = call(&session, "GetCallerIdentity", json!({})).await.ok();
    assert_eq!(me.element("Arn").unwrap(), format!("arn:aws:sts::{ACCOUNT}:assumed-role/app/one"));
    assert_eq!(me.element("UserId"), assumed.element("AssumedRoleId"));
}

#[tokio::test]
async fn a_role_needs_both_its_trust_and_its_takers_permission() {
    let house = house();
    let allowed = house.user("allowed", MAY_ASSUME).await;
    let plain = house.user("plain", &allow(&["s3:*"])).await;
    let named = json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:user/plain")}, "Action": "sts:AssumeRole"});
    house.role(named, &["iam:ListUsers"]).await;
    let untrusted = call(&allowed, "AssumeRole", assume()).await.refused("AccessDenied", 403);
    assert!(untrusted.message().contains("because no role trust policy allows the sts:AssumeRole action"));
    call(&plain, "AssumeRole", assume()).await.refused("AccessDenied", 403);
    house
        .iam("PutUserPolicy", json!({"UserName": "plain", "PolicyName": "p", "PolicyDocument": MAY_ASSUME}))
        .await;
    call(&plain, "AssumeRole", assume()).await.ok();
    let nowhere = with(assume(), "RoleArn", json!(format!("{ROLE}-none")));
    call(&plain, "AssumeRole", nowhere).await.refused("AccessDenied", 403);
    let elsewhere = with(assume(), "RoleArn", json!("arn:aws:iam::210987654321:role/app"));
    call(&plain, "AssumeRole", elsewhere).await.refused("AccessDenied", 403);
}

#[tokio::test]
async fn a_user_deleted_and_made_again_is_another() {
    let house = house();
    house.iam("CreateUser", json!({"UserName": "ada"})).await;
    let named = json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:user/ada")}, "Action": "sts:AssumeRole"});
    house.role(named, &["iam:ListUsers"]).await;
    house.iam("DeleteUser", json!({"UserName": "ada"})).await;
    let impostor = house.user("ada", MAY_ASSUME).await;
    call(&impostor, "AssumeRole", assume()).await.refused("AccessDenied", 403);
}

#[tokio::test]
async fn a_role_deleted_and_made_again_is_another() {
    let house = house();
    let ada = house.user("ada", MAY_ASSUME).await;
    house.role(trusts_account(), &["iam:ListUsers"]).await;
    let session = house.session(&call(&ada, "AssumeRole", assume()).await.ok());
    list_users(&session).await.ok();
    house.iam("DeleteRolePolicy", json!({"RoleName": "app", "PolicyName": "p"})).await;
    house.iam("DeleteRole", json!({"RoleName": "app"})).await;
    list_users(&session).await.refused("InvalidClientTokenId", 403);
    house.role(trusts_account(), &["iam:ListUsers"]).await;
    list_users(&session).await.refused("InvalidClientTokenId", 403);
    list_users(&house.session(&call(&ada, "AssumeRole", assume()).await.ok())).await.ok();
}

#[tokio::test]
async fn todays_policies_count_not_those_of_the_sessions_start() {
    let house = house();
    let ada = house.user("ada", MAY_ASSUME).await;
    house.role(trusts_account(), &["iam:ListUsers"]).await;
    let session = house.session(&call(&ada, "AssumeRole", assume()).await.ok());
    list_users(&session).await.ok();
    let changed = json!({"RoleName": "app", "PolicyName": "p", "PolicyDocument": allow(&["iam:ListRoles"])});
    house.iam("PutRolePolicy", changed).await;
    list_users(&session).await.refused("AccessDenied", 403);
    session.call("iam", "ListRoles", json!({})).await.ok();
}

#[tokio::test]
async fn sessions_issued_before_a_time_can_be_cut_off_by_policy() {
    let house = house();
    let ada = house.user("ada", MAY_ASSUME).await;
    house.role(trusts_account(), &["iam:ListUsers"]).await;
    let old = house.session(&call(&ada, "AssumeRole", assume()).await.ok());
    house.app.clock.advance_seconds(60);
    let cut = homeport_core::Clock::now(&*house.app.clock).rfc3339();
    let deny = json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": cut}}}});
    house
        .iam(
            "PutRolePolicy",
            json!({"RoleName": "app", "PolicyName": "cut", "PolicyDocument": deny.to_string()}),
        )
        .await;
    list_users(&old).await.refused("AccessDenied", 403);
    list_users(&house.session(&call(&ada, "AssumeRole", assume()).await.ok())).await.ok();
}

#[tokio::test]
async fn credentials_end_with_their_time() {
    let house = house();
    let ada = house.user("ada", MAY_ASSUME).await;
    house.role(trusts_account(), &["iam:ListUsers"]).await;
    let session =
        house.session(&call(&ada, "AssumeRole", with(assume(), "DurationSeconds", json!(900))).await.ok());
    list_users(&session).await.ok();
    house.app.clock.advance_seconds(899);
    list_users(&session).await.ok();
    house.app.clock.advance_seconds(1);
    list_users(&session).await.refused("ExpiredToken", 403);
}

#[tokio::test]
async fn no_session_is_longer_than_the_role_allows_or_the_chain() {
    let house = house();
    let ada = house.user("ada", MAY_ASSUME).await;
    house.role(trusts_account(), &["sts:AssumeRole"]).await;
    let long = with(assume(), "DurationSeconds", json!(7_200));
    call(&ada, "AssumeRole", long.clone()).await.refused("ValidationError", 400);
    house.iam("UpdateRole", json!({"RoleName": "app", "MaxSessionDuration": 7_200})).await;
    let session = house.session(&call(&ada, "AssumeRole", long.clone()).await.ok());
    call(&session, "AssumeRole", long).await.refused("ValidationError", 400);
    call(&session, "AssumeRole", assume()).await.ok();
    call(&ada, "AssumeRole", with(assume(), "DurationSeconds", json!(60)))
        .await
        .refused("ValidationError", 400);
}

#[tokio::test]
async fn session_policies_narrow_and_never_widen() {
    let house = house();
    let ada = house.user("ada", MAY_ASSUME).await;
    house.role(trusts_account(), &["iam:ListUsers"]).await;
    let narrowed = |actions: &[&str]| with(assume(), "Policy", json!(allow(actions)));
    let same = call(&ada, "AssumeRole", narrowed(&["iam:List*"])).await.ok();
    assert!(same.element("PackedPolicySize").is_some());
    let same = house.session(&same);
    list_users(&same).await.ok();
    same.call("iam", "ListRoles", json!({})).await.refused("AccessDenied", 403);
    let other = house.session(&call(&ada, "AssumeRole", narrowed(&["iam:ListRoles"])).await.ok());
    let refused = list_users(&other).await.refused("AccessDenied", 403);
    assert!(refused.message().contains("because no session policy allows"), "{}", refused.message());
    let broken = with(assume(), "Policy", json!("{}"));
    call(&ada, "AssumeRole", broken).await.refused("MalformedPolicyDocument", 400);
}

#[tokio::test]
async fn a_managed_session_policy_counts_as_it_is_today() {
    let house = house();
    let ada = house.user("ada", MAY_ASSUME).await;
    house.role(trusts_account(), &["iam:List*"]).await;
    house.iam("CreatePolicy", json!({"PolicyName": "n", "PolicyDocument": allow(&["iam:ListUsers"])})).await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/n");
    let narrowed = with(assume(), "PolicyArns", json!([{"arn": arn}]));
    let session = house.session(&call(&ada, "AssumeRole", narrowed).await.ok());
    list_users(&session).await.ok();
    session.call("iam", "ListRoles", json!({})).await.refused("AccessDenied", 403);
    house.iam("DeletePolicy", json!({"PolicyArn": arn})).await;
    list_users(&session).await.refused("AccessDenied", 403);
    let gone = with(assume(), "PolicyArns", json!([{"arn": arn}]));
    call(&ada, "AssumeRole", gone).await.refused("ValidationError", 400);
}

#[tokio::test]
async fn an_external_id_is_asked_where_the_trust_policy_asks() {
    let house = house();
    let ada = house.user("ada", MAY_ASSUME).await;
    let mut trust = trusts_account();
    trust["Condition"] = json!({"StringEquals": {"sts:ExternalId": "ticket-7"}});
    house.role(trust, &["iam:ListUsers"]).await;
    call(&ada, "AssumeRole", assume()).await.refused("AccessDenied", 403);
    call(&ada, "AssumeRole", with(assume(), "ExternalId", json!("ticket-8")))
        .await
        .refused("AccessDenied", 403);
    call(&ada, "AssumeRole", with(assume(), "ExternalId", json!("ticket-7"))).await.ok();
}

#[tokio::test]
async fn session_tags_need_their_own_permission_and_reach_conditions() {
    let house = house();
    let ada = house.user("ada", MAY_ASSUME).await;
    let trust = json!({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"});
    house.role(trust, &["s3:*"]).await;
    let by_team = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:ListUsers",
        "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue"}}}});
    house
        .iam(
            "PutRolePolicy",
            json!({"RoleName": "app", "PolicyName": "t", "PolicyDocument": by_team.to_string()}),
        )
        .await;
    let tagged = |team: &str| with(assume(), "Tags", json!([{"Key": "team", "Value": team}]));
    call(&ada, "AssumeRole", tagged("blue")).await.refused("AccessDenied", 403);
    let trust = json!({"Version": "2012-10-17", "Statement": trusts_account()}).to_string();
    house.iam("UpdateAssumeRolePolicy", json!({"RoleName": "app", "PolicyDocument": trust})).await;
    list_users(&house.session(&call(&ada, "AssumeRole", tagged("blue")).await.ok())).await.ok();
    for other in [tagged("red"), assume()] {
        let session = house.session(&call(&ada, "AssumeRole", other).await.ok());
        list_users(&session).await.refused("AccessDenied", 403);
    }
    let twice = json!([{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]);
    call(&ada, "AssumeRole", with(assume(), "Tags", twice)).await.refused("InvalidParameterValue", 400);
}

#[tokio::test]
async fn transitive_tags_and_the_source_identity_last_through_a_chain() {
    let house = house();
    let ada = house.user("ada", MAY_ASSUME).await;
    house.role(trusts_account(), &["sts:*"]).await;
    let marked = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:ListUsers",
        "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue", "aws:SourceIdentity": "ada"}}}});
    house
        .iam(
            "PutRolePolicy",
            json!({"RoleName": "app", "PolicyName": "t", "PolicyDocument": marked.to_string()}),
        )
        .await;
    let first =
        with(assume(), "Tags", json!([{"Key": "team", "Value": "blue"}, {"Key": "once", "Value": "1"}]));
    let first = with(with(first, "TransitiveTagKeys", json!(["team"])), "SourceIdentity", json!("ada"));
    let session = house.session(&call(&ada, "AssumeRole", first).await.ok());
    let chained = house.session(&call(&session, "AssumeRole", assume()).await.ok());
    list_users(&chained).await.ok();
    let forged = with(assume(), "Tags", json!([{"Key": "Team", "Value": "red"}]));
    call(&session, "AssumeRole", forged).await.refused("InvalidParameterValue", 400);
    call(&session, "AssumeRole", with(assume(), "SourceIdentity", json!("eve")))
        .await
        .refused("AccessDenied", 403);
    let without = house.session(&call(&ada, "AssumeRole", assume()).await.ok());
    list_users(&without).await.refused("AccessDenied", 403);
}

#[tokio::test]
async fn a_token_opens_with_its_own_key_alone_and_unaltered() {
    let house = house();
    let ada = house.user("ada", MAY_ASSUME).await;
    house.role(trusts_account(), &["iam:ListUsers"]).await;
    let one = call(&ada, "AssumeRole", assume()).await.ok();
    let other = call(&ada, "AssumeRole", assume()).await.ok();
    let part = |answer: &homeport_testkit::Reply, name: &str| answer.element(name).unwrap();
    let (key, secret, token) =
        (part(&one, "AccessKeyId"), part(&one, "SecretAccessKey"), part(&one, "SessionToken"));
    let swapped = house.app.keys(&key, &secret, Some(&part(&other, "SessionToken")));
    list_users(&swapped).await.refused("InvalidClientTokenId", 403);
    for at in [0, token.len() / 2, token.len() - 3] {
        let mut altered = token.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        list_users(&house.app.keys(&key, &secret, Some(&altered))).await.refused("InvalidClientTokenId", 403);
    }
    list_users(&house.app.keys(&key, &secret, None)).await.refused("InvalidClientTokenId", 403);
    let foreign = house.app.keys(&key, &part(&other, "SecretAccessKey"), Some(&token));
    list_users(&foreign).await.refused("SignatureDoesNotMatch", 403);
    list_users(&house.app.keys(&key, &secret, Some(&token))).await.ok();
}

#[tokio::test]
async fn nothing_of_a_session_is_stored() {
    let house = house();
    let ada = house.user("ada", MAY_ASSUME).await;
    house.role(trusts_account(), &["iam:ListUsers"]).await;
    let before = house.app.rows().await;
    let session = house.session(&call(&ada, "AssumeRole", assume()).await.ok());
    list_users(&session).await.ok();
    assert!(before == house.app.rows().await);
}

#[tokio::test]
async fn there_are_no_mfa_devices() {
    let house = house();
    let ada = house.user("ada", MAY_ASSUME).await;
    house.role(trusts_account(), &["iam:ListUsers"]).await;
    let coded = with(with(assume(), "SerialNumber", json!("GAHT12345678")), "TokenCode", json!("123456"));
    call(&ada, "AssumeRole", coded).await.refused("AccessDenied", 403);
}
