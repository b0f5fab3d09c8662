//! What `UpdateTable` changes of a table, and what of that together.

use serde_json::{Value, json};

use super::app::{app, done, hash_table};

/// An update of `notes` by these members.
fn update(members: &[(&str, Value)]) -> Value {
    let mut update = json!({
        "TableName": "notes", "AttributeDefinitions": [{"AttributeName": "g", "AttributeType": "S"}],
    });
    for (name, value) in members {
        update[*name] = value.clone();
    }
    update
}

#[tokio::test]
async fn a_table_says_since_when_it_has_another_class() {
    let app = app();
    let admin = app.admin();
    let mut table = hash_table("notes");
    table["TableClass"] = json!("STANDARD_INFREQUENT_ACCESS");
    let made = done(&admin, "CreateTable", table).await["TableDescription"].clone();
    assert_eq!(made["TableClassSummary"], json!({"TableClass": "STANDARD_INFREQUENT_ACCESS"}));
    let since = homeport_core::Clock::now(&*app.clock).seconds_f64();
    let summary = json!({"TableClass": "STANDARD", "LastUpdateDateTime": since});
    for _ in 0..2 {
        let updated = done(&admin, "UpdateTable", update(&[("TableClass", json!("STANDARD"))])).await;
        assert_eq!(updated["TableDescription"]["TableClassSummary"], summary);
        // The same class again is no change of it.
        app.clock.advance_seconds(60);
    }
}
