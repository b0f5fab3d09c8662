use homeport_dynamodb::expression::{Comparator, Path, Step};
use homeport_dynamodb::partiql::{
    Arithmetic, Change, Delete, Expression, Insert, Order, OrderTerm, Returning, Select, Source, Span,
    Statement, TypeTest, Update, parse,
};
use proptest::prelude::*;

#[test]
fn a_statement_is_printed_as_it_is_read() {
    for (given, printed) in [
        (
            "select a, b.c[0] from t.i where p = ? and not a is missing order by r desc",
            r#"SELECT "a", "b"."c"[0] FROM "t"."i" WHERE ("p" = ?) AND (NOT ("a" IS MISSING)) ORDER BY "r" DESC"#,
        ),
        (
            "insert into t value {'p': 'it''s', 'l': [1, -2.5e3, true, null], 's': <<'a'>>}",
            r#"INSERT INTO "t" VALUE {'p': 'it''s', 'l': [1, -2.5e3, TRUE, NULL], 's': <<'a'>>}"#,
        ),
        (
            "update t set a = b + 1 - 2, s = set_add(s, ?) remove c where p = 1 returning all new *",
            r#"UPDATE "t" SET "a" = ("b" + 1) - 2 SET "s" = set_add("s", ?) REMOVE "c" WHERE "p" = 1 RETURNING ALL NEW *"#,
        ),
        ("from t where p in (1, 2) set a = 1", r#"FROM "t" WHERE "p" IN [1, 2] SET "a" = 1"#),
        (
            "delete from t where p between 'a' and 'b' or size(\"a\"\"b\") != 3",
            r#"DELETE FROM "t" WHERE ("p" BETWEEN 'a' AND 'b') OR (size("a""b") <> 3)"#,
        ),
        (
            "exists(select * from t where begins_with(p, 'x'))",
            r#"EXISTS(SELECT * FROM "t" WHERE begins_with("p", 'x'))"#,
        ),
    ] {
        let read = parse(given).unwrap();
        assert_eq!(read.statement.to_string(), printed, "{given}");
        assert_eq!(parse(printed).unwrap(), read, "{given}");
    }
}

fn name() -> BoxedStrategy<String> {
    prop_oneof!["[a-c]{1,3}", "[a-zA-Z'\" .é-]{1,5}", Just("select".to_owned())].boxed()
}

fn path() -> BoxedStrategy<Path> {
    let step = prop_oneof![(0..9_usize).prop_map(Step::Index), name().prop_map(Step::Key)];
    (name(), prop::collection::vec(step, 0..3)).prop_map(|(head, rest)| Path { head, rest }).boxed()
}

fn number() -> BoxedStrategy<Expression> {
    "-?[0-9]{1,3}(\\.[0-9]{1,2})?([eE][+-]?[0-9]{1,2})?".prop_map(Expression::Number).boxed()
}

/// Expressions, their parameters not numbered yet.
fn expression() -> BoxedStrategy<Expression> {
    let leaf = prop_oneof![
        "[a-z' -]{0,4}".prop_map(Expression::Text),
        number(),
        any::<bool>().prop_map(Expression::Bool),
        Just(Expression::Null),
        Just(Expression::Missing),
        Just(Expression::Parameter(0)),
        path().prop_map(|path| Expression::Path(path, Span::default())),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let inner = inner.boxed();
        let many = || prop::collection::vec(inner.clone(), 0..3);
        let some = || prop::collection::vec(inner.clone(), 1..3);
        let sides = || prop::collection::vec(inner.clone(), 2..4);
        let two = || prop::array::uniform2(inner.clone()).prop_map(Box::new);
        let arithmetic = prop_oneof![Just(Arithmetic::Plus), Just(Arithmetic::Minus)];
        let comparator = prop_oneof![
            Just(Comparator::Equal),
            Just(Comparator::NotEqual),
            Just(Comparator::Less),
            Just(Comparator::GreaterOrEqual),
        ];
        let test = prop_oneof![
            Just(TypeTest::Missing),
            Just(TypeTest::Null),
            Just(TypeTest::Decimal),
            Just(TypeTest::String),
            Just(TypeTest::Bag),
        ];
        prop_oneof![
            many().prop_map(Expression::List).boxed(),
            many().prop_map(Expression::Bag).boxed(),
            prop::collection::vec(("[a-c']{0,3}", inner.clone()), 0..3).prop_map(Expression::Tuple).boxed(),
            ("size|contains|f_1", many())
                .prop_map(|(name, arguments)| Expression::Call { name, arguments, at: Span::default() })
                .boxed(),
            (arithmetic, two()).prop_map(|(operator, sides)| Expression::Arithmetic(operator, sides)).boxed(),
            (comparator, two())
                .prop_map(|(comparator, sides)| Expression::Compare(comparator, sides))
                .boxed(),
            prop::array::uniform3(inner.clone())
                .prop_map(|parts| Expression::Between(Box::new(parts)))
                .boxed(),
            (inner.clone(), some()).prop_map(|(one, among)| Expression::In(Box::new(one), among)).boxed(),
            (inner.clone(), test).prop_map(|(one, test)| Expression::Is(Box::new(one), test)).boxed(),
            sides().prop_map(Expression::And).boxed(),
            sides().prop_map(Expression::Or).boxed(),
            inner.clone().prop_map(|one| Expression::Not(Box::new(one))).boxed(),
        ]
    })
    .boxed()
}

fn source() -> BoxedStrategy<Source> {
    (name(), prop::option::of(name())).prop_map(|(table, index)| Source { table, index }).boxed()
}

fn select() -> BoxedStrategy<Select> {
    let order = prop_oneof![Just(Order::Ascending), Just(Order::Descending)];
    let term = (name(), order).prop_map(|(attribute, order)| OrderTerm { attribute, order });
    let columns = prop::option::of(prop::collection::vec(path(), 1..3));
    let parts = (columns, source(), prop::option::of(expression()), prop::collection::vec(term, 0..3));
    parts.prop_map(|(columns, source, condition, order)| Select { columns, source, condition, order }).boxed()
}

fn returning() -> BoxedStrategy<Option<Returning>> {
    prop::option::of(prop_oneof![
        Just(Returning::AllOld),
        Just(Returning::AllNew),
        Just(Returning::ModifiedOld),
        Just(Returning::ModifiedNew),
    ])
    .boxed()
}

fn update() -> BoxedStrategy<Update> {
    let change = prop_oneof![
        (path(), expression()).prop_map(|(path, value)| Change::Set(path, value)),
        path().prop_map(Change::Remove),
    ];
    let changes = prop::collection::vec(change, 1..4);
    (source(), changes, prop::option::of(expression()), returning(), any::<bool>())
        .prop_map(|(source, changes, condition, returning, from_first)| Update {
            source,
            changes,
            condition,
            returning,
            from_first,
        })
        .boxed()
}

fn statement() -> BoxedStrategy<Statement> {
    let delete = (source(), prop::option::of(expression()), returning())
        .prop_map(|(source, condition, returning)| Delete { source, condition, returning });
    prop_oneof![
        select().prop_map(Statement::Select),
        select().prop_map(Statement::Exists),
        (name(), expression()).prop_map(|(table, value)| Statement::Insert(Insert { table, value })),
        update().prop_map(Statement::Update),
        delete.prop_map(Statement::Delete),
    ]
    .boxed()
}

proptest! {
    #[test]
    fn statements_parse_print_and_parse_again(statement in statement()) {
        let printed = statement.to_string();
        let read = parse(&printed).map_err(|error| TestCaseError::fail(format!("{printed}: {error}")))?;
        // Only the parameters' numbers, which the text gives them, may differ: the text tells.
        prop_assert_eq!(read.statement.to_string(), printed.clone());
        prop_assert_eq!(parse(&printed).unwrap(), read);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(SELECT|FROM|WHERE|UPDATE|SET|INSERT INTO|VALUE|DELETE|EXISTS|RETURNING|ORDER BY|AND|OR|NOT|IN|IS|BETWEEN|[*(){}\\[\\]<>=,.:;?'\"-]|a|t|1|1e9| ){0,30}|.{0,60}") {
        if let Ok(read) = parse(&text) {
            prop_assert_eq!(parse(&read.statement.to_string()).map(|again| again.statement), Ok(read.statement));
        }
    }
}
