use std::collections::BTreeMap;

use homeport_dynamodb::expression::{
    Condition, ExpressionKind, Placeholders, Projection, Update, key_conditions,
};
use homeport_dynamodb::value::{Checked, Item, SharedValue};
use proptest::prelude::*;
use serde_json::{Value, json};

fn item(json: Value) -> Item {
    serde_json::from_value::<Checked<Item>>(json).unwrap().0.unwrap()
}

fn names(json: &Value) -> Option<BTreeMap<String, String>> {
    serde_json::from_value(json.clone()).unwrap()
}

fn values(json: &Value) -> Option<BTreeMap<String, SharedValue>> {
    (!json.is_null())
        .then(|| item(json.clone()).into_iter().map(|(key, value)| (key, value.into())).collect())
}

struct Given {
    names: Option<BTreeMap<String, String>>,
    values: Option<BTreeMap<String, SharedValue>>,
}

fn given(of: Value) -> Given {
    Given { names: names(&of["names"]), values: values(&of["values"]) }
}

impl Given {
    fn with<T, E: ToString>(
        &self,
        read: impl FnOnce(&mut Placeholders<'_>) -> Result<T, E>,
    ) -> Result<T, String> {
        let mut placeholders =
            Placeholders::new(self.names.as_ref(), self.values.as_ref()).map_err(|e| e.to_string())?;
        let read = read(&mut placeholders).map_err(|e| e.to_string())?;
        placeholders.finish().map_err(|e| e.to_string())?;
        Ok(read)
    }

    fn condition(&self, text: &str) -> Result<Condition, String> {
        self.with(|placeholders| Condition::parse(ExpressionKind::Condition, text, placeholders))
    }

    fn update(&self, text: &str) -> Result<Update, String> {
        self.with(|placeholders| Update::parse(text, placeholders))
    }

    fn projection(&self, text: &str) -> Result<Projection, String> {
        self.with(|placeholders| Projection::parse(text, placeholders))
    }
}

fn constants() -> Given {
    given(json!({"values": {
        ":a": {"S": "abc"}, ":b": {"S": "b"}, ":one": {"N": "1"}, ":two": {"N": "2.0"}, ":t": {"S": "SS"},
        ":list": {"L": [{"N": "9"}]}, ":set": {"SS": ["x"]}, ":true": {"BOOL": true}, ":bin": {"B": "AQI="},
    }}))
}

/// The condition's truth, with all constants there whether or not they are used.
fn holds(condition: &str, item: &Item) -> bool {
    let constants = constants();
    let mut placeholders = Placeholders::new(None, constants.values.as_ref()).unwrap();
    Condition::parse(ExpressionKind::Condition, condition, &mut placeholders).unwrap().holds(item)
}

fn subject() -> Item {
    item(json!({
        "s": {"S": "abcdef"}, "n": {"N": "2"}, "m": {"M": {"x": {"N": "1"}, "l": {"L": [{"S": "b"}, {"N": "1"}]}}},
        "l": {"L": [{"S": "b"}, {"N": "1"}]}, "ss": {"SS": ["x", "y"]}, "bin": {"B": "AQID"}, "flag": {"BOOL": true},
        "nothing": {"NULL": true}, "s2": {"S": "abc"},
    }))
}

#[test]
fn conditions_hold_as_the_developer_guide_says() {
    let subject = subject();
    for yes in [
        "n = :two",
        "n <> :one",
        "s <> :one",
        "absent <> :one",
        "n > :one",
        "n >= :two",
        ":one < n",
        "n BETWEEN :one AND :two",
        "n IN (:one, :two)",
        "attribute_exists(m.l[1])",
        "attribute_not_exists(m.l[2])",
        "attribute_type(ss, :t)",
        "begins_with(s, :a)",
        "begins_with(s, s2)",
        "contains(s, :b)",
        "contains(l, :b)",
        "contains(ss, x) OR n = :two",
        "contains(bin, :bin)",
        "size(s) > :two",
        "size(m) = :two",
        "size(l) = :two",
        "NOT n = :one AND n = :two",
        "n = :one OR n = :two AND s2 = :a",
        "(n = :one OR n = :two) and s2 = :a",
        "not (n = :one)",
        "flag = :true",
        "m.l[0] = :b",
        "NOT size(n) = :one",
        "n = size(l)",
        "s2 IN (:b, s2x, :a)",
    ] {
        assert!(holds(yes, &subject), "{yes}");
    }
    for no in [
        "n = :one",
        "absent = :one",
        "absent < :one",
        "s < :one",
        "n BETWEEN :one AND :one",
        "absent = absent2",
        "attribute_exists(m.x.y)",
        "begins_with(n, :a)",
        "contains(n, :b)",
        "size(absent) = :one",
        "nothing < :one",
        "n = :one AND n = :two OR s2 = :b",
        "absent IN (:one)",
        "contains(l, :two)",
    ] {
        assert!(!holds(no, &subject), "{no}");
    }
}

#[test]
fn conditions_are_refused_in_awss_order_and_words() {
    let given = constants();
    for (text, said) in [
        ("", "The expression can not be empty;"),
        ("((a = :b))", "The expression has redundant parentheses;"),
        ("((dog(a)))", "The expression has redundant parentheses;"),
        ("dog(a) = :b", "Invalid function name; function: dog"),
        ("status = :b AND dog(a)", "Invalid function name; function: dog"),
        (
            "if_not_exists(a, :b) = :b",
            "The function is not allowed in a condition expression; function: if_not_exists",
        ),
        ("size(a)", "The function is not allowed to be used this way in an expression; function: size"),
        (
            "attribute_exists(a) < :b",
            "The function is not allowed to be used this way in an expression; function: attribute_exists",
        ),
        ("status = :nope", "Attribute name is a reserved keyword; reserved keyword: status"),
        ("a.Name = :nope", "Attribute name is a reserved keyword; reserved keyword: Name"),
        (
            "a = :nope",
            "An expression attribute value used in expression is not defined; attribute value: :nope",
        ),
        (
            "#n = :a",
            "An expression attribute name used in the document path is not defined; attribute name: #n",
        ),
        (
            "attribute_exists(a, b)",
            "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 2",
        ),
        (
            "size(a, a) = :one",
            "Incorrect number of operands for operator or function; operator or function: size, number of operands: 2",
        ),
        (
            "a = a",
            "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]",
        ),
        (
            "contains(a[1].b, a[1].b)",
            "The first operand must be distinct from the remaining operands for this operator or function; operator: contains, first operand: [a, [1], b]",
        ),
        (
            "attribute_exists(:a)",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "begins_with(a, :one)",
            "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
        ),
        (
            "size(:one) > :one",
            "Incorrect operand type for operator or function; operator or function: size, operand type: N",
        ),
        (
            "attribute_type(a, b)",
            "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}",
        ),
        (
            "a < :list",
            "Incorrect operand type for operator or function; operator or function: <, operand type: L",
        ),
        (
            "a BETWEEN :true AND :one",
            "Incorrect operand type for operator or function; operator or function: BETWEEN, operand type: BOOL",
        ),
        ("a[00] = :a", r#"Syntax error; token: "0", near: "00]""#),
        ("a\u{a0}= :a", "Syntax error; token: \"\u{a0}\", near: \"a\u{a0}=\""),
        ("  ", r#"Syntax error; token: "<EOF>", near: "  ""#),
        (
            "attribute_type(a, :a)",
            "Invalid attribute type name found; type: abc, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
        ),
        (
            "a BETWEEN :a AND :one",
            "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {S:abc}, upper bound operand: AttributeValue: {N:1}",
        ),
        (
            "a BETWEEN :two AND :one",
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}",
        ),
    ] {
        assert_eq!(given.condition(text), Err(format!("Invalid ConditionExpression: {said}")), "{text}");
    }
}

#[test]
fn placeholders_are_all_used_and_all_there() {
    let both =
        given(json!({"names": {"#a": "a", "#unused": "u"}, "values": {":v": {"S": "v"}, ":w": {"S": "w"}}}));
    assert_eq!(
        both.condition("#a = :v"),
        Err("Value provided in ExpressionAttributeNames unused in expressions: keys: {#unused}".into())
    );
    assert_eq!(
        both.condition("#a = :v OR #unused = :v"),
        Err("Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}".into())
    );
    let named = |names: Value| given(json!({"names": names})).condition("attribute_exists(a)").unwrap_err();
    assert_eq!(
        named(json!({"a": "a"})),
        "ExpressionAttributeNames contains invalid key: Syntax error; key: \"a\""
    );
    assert_eq!(named(json!({})), "ExpressionAttributeNames must not be empty");
    let valued =
        |values: Value| given(json!({"values": values})).condition("attribute_exists(a)").unwrap_err();
    assert_eq!(
        valued(json!({"v": {"S": "a"}})),
        "ExpressionAttributeValues contains invalid key: Syntax error; key: \"v\""
    );
    assert_eq!(valued(json!({})), "ExpressionAttributeValues must not be empty");
}

fn updated(text: &str, of: Value, constants: Value) -> Result<Item, String> {
    let given = given(json!({"values": constants}));
    let update = given.update(text)?;
    update.apply(&item(of)).map_err(|error| error.to_string())
}

#[test]
fn updates_change_what_they_say() {
    for (text, before, constants, after) in [
        ("SET a = :v", json!({}), json!({":v": {"S": "x"}}), json!({"a": {"S": "x"}})),
        (
            "SET a = a + :v, b = a",
            json!({"a": {"N": "1"}}),
            json!({":v": {"N": "2"}}),
            json!({"a": {"N": "3"}, "b": {"N": "1"}}),
        ),
        ("SET a = a - :v", json!({"a": {"N": "1"}}), json!({":v": {"N": "0.1"}}), json!({"a": {"N": "0.9"}})),
        ("SET a = if_not_exists(a, :v) + :v", json!({}), json!({":v": {"N": "2"}}), json!({"a": {"N": "4"}})),
        (
            "SET l = list_append(:v, l)",
            json!({"l": {"L": [{"N": "1"}]}}),
            json!({":v": {"L": [{"N": "0"}]}}),
            json!({"l": {"L": [{"N": "0"}, {"N": "1"}]}}),
        ),
        (
            "SET l[9] = :b, l[5] = :a",
            json!({"l": {"L": [{"N": "1"}]}}),
            json!({":a": {"S": "a"}, ":b": {"S": "b"}}),
            json!({"l": {"L": [{"N": "1"}, {"S": "a"}, {"S": "b"}]}}),
        ),
        (
            "SET m.x.y = :v",
            json!({"m": {"M": {"x": {"M": {}}}}}),
            json!({":v": {"N": "1"}}),
            json!({"m": {"M": {"x": {"M": {"y": {"N": "1"}}}}}}),
        ),
        (
            "REMOVE l[0], l[2], a",
            json!({"a": {"N": "1"}, "l": {"L": [{"N": "0"}, {"N": "1"}, {"N": "2"}]}}),
            json!(null),
            json!({"l": {"L": [{"N": "1"}]}}),
        ),
        (
            "REMOVE m.nope, nope, l[7]",
            json!({"m": {"M": {}}, "l": {"L": []}}),
            json!(null),
            json!({"m": {"M": {}}, "l": {"L": []}}),
        ),
        (
            "ADD n :n, s :s",
            json!({"s": {"SS": ["a"]}}),
            json!({":n": {"N": "5"}, ":s": {"SS": ["b"]}}),
            json!({"n": {"N": "5"}, "s": {"SS": ["a", "b"]}}),
        ),
        (
            "DELETE s :s, t :s",
            json!({"s": {"SS": ["a", "b"]}, "t": {"SS": ["a"]}}),
            json!({":s": {"SS": ["a"]}}),
            json!({"s": {"SS": ["b"]}}),
        ),
        ("DELETE nope :s", json!({}), json!({":s": {"SS": ["a"]}}), json!({})),
        (
            "SET a = :v REMOVE b ADD c :v",
            json!({"b": {"N": "1"}, "c": {"N": "1"}}),
            json!({":v": {"N": "1"}}),
            json!({"a": {"N": "1"}, "c": {"N": "2"}}),
        ),
    ] {
        assert_eq!(updated(text, before, constants), Ok(item(after)), "{text}");
    }
}

#[test]
fn updates_that_do_not_fit_the_item_are_refused() {
    let v = || json!({":v": {"N": "1"}});
    for (text, before, constants, said) in [
        (
            "SET a = b",
            json!({}),
            json!(null),
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        (
            "SET a = a + :v",
            json!({}),
            v(),
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        (
            "SET a = a + :v",
            json!({"a": {"S": "x"}}),
            v(),
            "An operand in the update expression has an incorrect data type",
        ),
        (
            "SET m.x = :v",
            json!({}),
            v(),
            "The document path provided in the update expression is invalid for update",
        ),
        (
            "SET m.x = :v",
            json!({"m": {"S": "x"}}),
            v(),
            "The document path provided in the update expression is invalid for update",
        ),
        (
            "SET m[0] = :v",
            json!({"m": {"M": {}}}),
            v(),
            "The document path provided in the update expression is invalid for update",
        ),
        (
            "REMOVE m.x.y",
            json!({"m": {"M": {}}}),
            json!(null),
            "The document path provided in the update expression is invalid for update",
        ),
        (
            "ADD a :v",
            json!({"a": {"S": "x"}}),
            v(),
            "An operand in the update expression has an incorrect data type",
        ),
        (
            "DELETE a :s",
            json!({"a": {"N": "1"}}),
            json!({":s": {"SS": ["a"]}}),
            "An operand in the update expression has an incorrect data type",
        ),
        (
            "SET a = :v + :w",
            json!({}),
            json!({":v": {"N": "9.9e125"}, ":w": {"N": "9.9e125"}}),
            "Number overflow. Attempting to store a number with magnitude larger than supported range",
        ),
    ] {
        assert_eq!(updated(text, before, constants), Err(said.to_owned()), "{text}");
    }
}

#[test]
fn an_update_never_holds_more_than_an_item() {
    let large = json!({"a": {"S": "x".repeat(300_000)}, "l": {"L": [{"S": "x".repeat(150_000)}]}});
    let said = Err("Item size to update has exceeded the maximum allowed size".to_owned());
    assert_eq!(updated("SET b = a, c = a", large.clone(), json!(null)), said);
    assert_eq!(
        updated("SET m = list_append(list_append(l, l), list_append(l, l))", large, json!(null)),
        said
    );
}

#[test]
fn updates_are_refused_in_awss_order_and_words() {
    let given = constants();
    for (text, said) in [
        ("SET status = :nope SET b = :a", "Attribute name is a reserved keyword; reserved keyword: status"),
        ("SET a = dog(b) SET b = :a", "Invalid function name; function: dog"),
        ("SET a = size(b)", "The function is not allowed in an update expression; function: size"),
        ("SET a = :a SET b = :nope", "The \"SET\" section can only be used once in an update expression;"),
        (
            "SET a = :nope, #n = :a",
            "An expression attribute name used in the document path is not defined; attribute name: #n",
        ),
        (
            "SET a = :nope, a = :a",
            "An expression attribute value used in expression is not defined; attribute value: :nope",
        ),
        (
            "SET a = :a, a = :b",
            "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]",
        ),
        (
            "SET a.b = :a REMOVE a",
            "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a]",
        ),
        (
            "SET a.b = :a REMOVE a[0]",
            "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [0]]",
        ),
        (
            "ADD a :a",
            "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND",
        ),
        (
            "ADD a :bin",
            "Incorrect operand type for operator or function; operator: ADD, operand type: Binary, typeSet: ALLOWED_FOR_ADD_OPERAND",
        ),
        (
            "ADD a :true",
            "Incorrect operand type for operator or function; operator: ADD, operand type: BOOL, typeSet: ALLOWED_FOR_ADD_OPERAND",
        ),
        (
            "DELETE a :one",
            "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND",
        ),
        (
            "SET a = b + :a",
            "Incorrect operand type for operator or function; operator or function: +, operand type: S",
        ),
        (
            "SET a = list_append(b, :a)",
            "Incorrect operand type for operator or function; operator or function: list_append, operand type: S",
        ),
        (
            "SET a = list_append(b)",
            "Incorrect number of operands for operator or function; operator or function: list_append, number of operands: 1",
        ),
        (
            "SET a = if_not_exists(:a, :b)",
            "Operator or function requires a document path; operator or function: if_not_exists",
        ),
        ("SET a[99999999999] = :a", "List index is not within the allowable range; index: [99999999999]"),
    ] {
        assert_eq!(given.update(text), Err(format!("Invalid UpdateExpression: {said}")), "{text}");
    }
}

#[test]
fn projections_keep_what_is_asked_for() {
    let given = given(json!({}));
    let projected = |text: &str| given.projection(text).map(|projection| projection.apply(&subject()));
    assert_eq!(projected("l[1], l[0], nope"), Ok(item(json!({"l": {"L": [{"S": "b"}, {"N": "1"}]}}))));
    assert_eq!(
        projected("m.l[1], n, l[9]"),
        Ok(item(json!({"m": {"M": {"l": {"L": [{"N": "1"}]}}}, "n": {"N": "2"}})))
    );
    assert_eq!(
        projected("m.x, m.l"),
        Ok(item(json!({"m": {"M": {"x": {"N": "1"}, "l": {"L": [{"S": "b"}, {"N": "1"}]}}}})))
    );
    let overlap = "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]";
    assert_eq!(projected("a, a.b"), Err(overlap.to_owned()));
    let nested =
        item(json!({"a": {"L": [{"M": {"x": {"N": "1"}, "y": {"N": "2"}}}, {"M": {"x": {"N": "3"}}}]}}));
    let kept = given.projection("a[1].x, a[0].y, a[0].x").map(|projection| projection.apply(&nested));
    assert_eq!(kept, Ok(nested));
}

#[test]
fn key_conditions_are_conditions_on_keys_and_no_more() {
    let constants = constants();
    let read = |text: &str| {
        let mut placeholders = Placeholders::new(None, constants.values.as_ref()).unwrap();
        let condition = Condition::parse(ExpressionKind::KeyCondition, text, &mut placeholders)
            .map_err(|e| e.to_string())?;
        key_conditions(condition).map_err(|e| e.to_string())
    };
    assert_eq!(read("p = :a AND :one <= r"), read("(p = :a) AND (r >= :one)"));
    let doubled = "Invalid KeyConditionExpression: The expression has redundant parentheses;";
    assert_eq!(read("((p = :a))"), Err(doubled.to_owned()));
    assert_eq!(read("(p = :a) AND ((r = :b))"), Err(doubled.to_owned()));
    assert_eq!(read("p = :a AND begins_with(r, :b)").map(|conditions| conditions.len()), Ok(2));
    for (text, said) in [
        ("p = :a OR r = :b", "Invalid operator used in KeyConditionExpression: OR"),
        ("p <> :a", "Invalid operator used in KeyConditionExpression: <>"),
        ("attribute_exists(p)", "Invalid operator used in KeyConditionExpression: attribute_exists"),
        ("size(p) = :one", "KeyConditionExpressions cannot contain nested operations"),
        ("p = :a AND r.x = :b", "KeyConditionExpressions cannot have conditions on nested attributes"),
        (
            "p = q",
            "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
        ),
        (":a = :b", "Invalid condition in KeyConditionExpression: No key attribute specified"),
        (
            "p = :a AND p = :b",
            "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
        ),
        (
            "begins_with(:a, p)",
            "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its first operand",
        ),
        (
            ":one BETWEEN p AND r",
            "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as its first operand",
        ),
    ] {
        assert_eq!(read(text), Err(said.to_owned()), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in "[a-c#:=<>()\\[\\],. 0-9+-]{0,40}|(a|AND|OR|NOT|IN|BETWEEN|SET|\\(|\\)|=|:a|,| ){0,20}|.{0,40}") {
        let constants = constants();
        let _ = constants.condition(&text);
        let _ = constants.update(&text);
        let _ = constants.projection(&text);
    }

    #[test]
    fn a_negation_holds_when_the_condition_does_not(n in -3_i32..3, m in -3_i32..3) {
        let subject = item(json!({"n": {"N": n.to_string()}}));
        let given = given(json!({"values": {":m": {"N": m.to_string()}}}));
        for (text, truth) in [("n < :m", n < m), ("n <= :m", n <= m), ("n = :m", n == m), ("n <> :m", n != m)] {
            prop_assert_eq!(given.condition(text).unwrap().holds(&subject), truth);
            prop_assert_eq!(given.condition(&format!("NOT {text}")).unwrap().holds(&subject), !truth);
        }
    }
}
