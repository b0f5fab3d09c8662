use serde_json::json;

use crate::house::house;

#[tokio::test]
async fn a_stage_that_one_node_changes_is_served_so_on_the_other() {
    let one = house();
    let other = one.beside();
    let api = one.api().await;
    api.mock(&api.root, "GET", json!({}), "{}").await;
    api.deploy("prod").await;
    let call = async || other.call(&api.id, "GET", "/prod/", &[], b"").await.status;
    assert_eq!(call().await, 200);
    let nothing = json!([
        {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "0"},
        {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "0"},
    ]);
    api.patch_stage("prod", nothing).await.ok();
    assert_eq!(call().await, 429);
    one.admin("DeleteRestApi", json!({"restApiId": api.id})).await.ok();
    assert_eq!(call().await, 403);
}
