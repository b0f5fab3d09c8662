use serde_json::json;

use crate::house::house;

#[tokio::test]
async fn a_stages_throttle_answers_429() {
    let house = house();
    let api = house.api().await;
    api.mock(&api.root, "GET", json!({}), "{}").await;
    api.mock(&api.root, "POST", json!({}), "{}").await;
    api.deploy("prod").await;
    let patches = json!([
        {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "1"},
        {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "3"},
        {"op": "replace", "path": "/~1/POST/throttling/rateLimit", "value": "0"},
        {"op": "replace", "path": "/~1/POST/throttling/burstLimit", "value": "0"},
    ]);
    let stage = api.patch_stage("prod", patches).await.ok().json();
    assert_eq!(stage["methodSettings"]["*/*"]["throttlingBurstLimit"], 3);
    let call = async |verb: &str| house.call(&api.id, verb, "/prod/", &[], b"").await;
    for _ in 0..3 {
        assert_eq!(call("GET").await.status, 200);
    }
    let refused = call("GET").await;
    assert_eq!((refused.status, refused.message().as_str()), (429, "Too Many Requests"));
    assert_eq!(refused.headers["x-amzn-errortype"], "TooManyRequestsException");
    assert_eq!(call("POST").await.status, 429);
    // A change of the stage fills no bucket.
    api.patch_stage("prod", json!([{"op": "replace", "path": "/description", "value": "x"}])).await.ok();
    assert_eq!(call("GET").await.status, 429);
    house.app.clock.advance_seconds(1);
    assert_eq!(call("GET").await.status, 200);
    assert_eq!(call("GET").await.status, 429);
}
