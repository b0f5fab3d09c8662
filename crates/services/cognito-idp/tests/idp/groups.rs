use homeport_store::{Direction, Key, Range, Row, StoreError};
use serde_json::json;

use crate::world::{World, claims, text};

#[tokio::test]
async fn members_of_a_group_say_so_in_their_tokens() {
    let world = World::new().await;
    world.user("ann").await;
    let role = "arn:aws:iam::123456789012:role/admins";
    let group = json!({"GroupName": "admins", "RoleArn": role, "Precedence": 1});
    world.admin("CreateGroup", group.clone()).await.ok();
    world.admin("CreateGroup", group).await.refused("GroupExistsException", 400);
    world.admin("CreateGroup", json!({"GroupName": "readers", "Precedence": 0})).await.ok();
    for name in ["admins", "readers"] {
        world.admin("AdminAddUserToGroup", json!({"Username": "ann", "GroupName": name})).await.ok();
    }
    let tokens = world.tokens("ann").await;
    let id = claims(&tokens["IdToken"]);
    assert_eq!(id["cognito:groups"], json!(["readers", "admins"]));
    assert_eq!((&id["cognito:roles"], &id["cognito:preferred_role"]), (&json!([role]), &json!(role)));
    assert_eq!(claims(&tokens["AccessToken"])["cognito:groups"], json!(["readers", "admins"]));
    let left = json!({"Username": "ann", "GroupName": "admins"});
    world.admin("AdminRemoveUserFromGroup", left).await.ok();
    let refreshed = world.refresh(&text(&tokens["RefreshToken"])).await.ok().json();
    assert_eq!(claims(&refreshed["AuthenticationResult"]["IdToken"])["cognito:groups"], json!(["readers"]));
}

#[tokio::test]
async fn what_a_crash_left_of_a_group_does_not_join_the_next_of_its_name() {
    let world = World::new().await;
    world.user("ann").await;
    world.admin("CreateGroup", json!({"GroupName": "admins"})).await.ok();
    world.admin("AdminAddUserToGroup", json!({"Username": "ann", "GroupName": "admins"})).await.ok();
    // A crash between the group's end and its members': the record is gone, they are there.
    let gone = world.app.parts.store.write(|tx| async move {
        let rows = tx.scan(Range::all(), Direction::Forward, 1_000).await?.rows;
        let holds = |row: &Row, text: &[u8]| row.key.windows(text.len()).any(|part| part == text);
        let groups = rows.iter().filter(|row| holds(row, b"cognito-idp.groups") && holds(row, b"admins"));
        for row in groups.clone() {
            tx.delete(&Key::from_row(&row.key))?;
        }
        Ok::<_, StoreError>(groups.count())
    });
    assert_eq!(gone.await.unwrap(), 1);
    world.admin("CreateGroup", json!({"GroupName": "admins"})).await.ok();
    let users = world.admin("ListUsersInGroup", json!({"GroupName": "admins"})).await.ok().json();
    assert_eq!(users["Users"], json!([]));
    assert!(claims(&world.tokens("ann").await["IdToken"]).get("cognito:groups").is_none());
}

#[tokio::test]
async fn groups_are_listed_changed_and_deleted() {
    let world = World::new().await;
    for name in ["a", "b", "c"] {
        world.user(&format!("user-{name}")).await;
        world.admin("CreateGroup", json!({"GroupName": name})).await.ok();
        let member = json!({"Username": format!("user-{name}"), "GroupName": "a"});
        world.admin("AdminAddUserToGroup", member).await.ok();
    }
    let first = world.admin("ListGroups", json!({"Limit": 2})).await.ok().json();
    assert_eq!(first["Groups"].as_array().unwrap().len(), 2);
    let rest =
        world.admin("ListGroups", json!({"Limit": 2, "NextToken": first["NextToken"]})).await.ok().json();
    assert_eq!((rest["Groups"][0]["GroupName"].clone(), rest.get("NextToken")), (json!("c"), None));
    let changed = json!({"GroupName": "a", "Description": "first", "Precedence": 3});
    world.admin("UpdateGroup", changed).await.ok();
    let group = world.admin("GetGroup", json!({"GroupName": "a"})).await.ok().json()["Group"].take();
    assert_eq!((&group["Description"], &group["Precedence"]), (&json!("first"), &json!(3)));
    let users = world.admin("ListUsersInGroup", json!({"GroupName": "a", "Limit": 2})).await.ok().json();
    assert_eq!(users["Users"].as_array().unwrap().len(), 2);
    let more = json!({"GroupName": "a", "Limit": 2, "NextToken": users["NextToken"]});
    let more = world.admin("ListUsersInGroup", more).await.ok().json();
    assert_eq!(more["Users"][0]["Username"], "user-c");
    world.admin("DeleteGroup", json!({"GroupName": "a"})).await.ok();
    world.admin("GetGroup", json!({"GroupName": "a"})).await.refused("ResourceNotFoundException", 400);
    world.admin("CreateGroup", json!({"GroupName": "a"})).await.ok();
    let users = world.admin("ListUsersInGroup", json!({"GroupName": "a"})).await.ok().json();
    assert_eq!(users["Users"], json!([]));
    let of_user = world.admin("AdminListGroupsForUser", json!({"Username": "user-a"})).await.ok().json();
    assert_eq!(of_user["Groups"], json!([]));
}

#[tokio::test]
async fn a_group_needs_its_pool_user_and_itself() {
    let world = World::new().await;
    world.user("ann").await;
    let add = |user: &str, group: &str| json!({"Username": user, "GroupName": group});
    world.admin("AdminAddUserToGroup", add("ann", "none")).await.refused("ResourceNotFoundException", 400);
    world.admin("CreateGroup", json!({"GroupName": "g"})).await.ok();
    world.admin("AdminAddUserToGroup", add("nobody", "g")).await.refused("UserNotFoundException", 400);
}

#[tokio::test]
async fn a_groups_role_needs_pass_role() {
    let world = World::new().await;
    let groups = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "cognito-idp:*",
        "Resource": "*"}]})
    .to_string();
    let caller = world.app.user("groups", &[&groups]);
    let input = |role: Option<&str>| {
        let mut input = json!({"UserPoolId": world.pool, "GroupName": "g"});
        if let Some(role) = role {
            input["RoleArn"] = json!(role);
        }
        input
    };
    let role = input(Some("arn:aws:iam::123456789012:role/admins"));
    caller.call("cognito-idp", "CreateGroup", role).await.refused("AccessDeniedException", 400);
    caller.call("cognito-idp", "CreateGroup", input(None)).await.ok();
}
