"""What a value, an item, an expression and a call may hold, by boto3: the most that is taken beside the least that isn't."""

import re
import uuid

import pytest
from botocore.exceptions import ClientError

MB = 1024 * 1024
MOST = 400 * 1024
ITEM_SIZE = "Item size has exceeded the maximum allowed size"
UPDATED_SIZE = "Item size to update has exceeded the maximum allowed size"
OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
NO_NUMBER = "The parameter cannot be converted to a numeric value"
DIGITS = "Attempting to store more than 38 significant digits in a Number"
NINES = "9" * 38
TINY = f"0.{'0' * 129}1"
HASH_SIZE = "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"
RANGE_SIZE = (
    "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
)
EMPTY_KEY = "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty"
COLLECTION = "One or more parameter values were invalid: Input collection"
OPERAND = (
    "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function"
)
KEY_TYPE = "One or more parameter values were invalid: Condition parameter type does not match schema type"
DUPLICATES = "Provided list of item keys contains duplicates"
TOTAL = {"ReturnConsumedCapacity": "TOTAL"}
INDEXES = {"ReturnConsumedCapacity": "INDEXES"}
TWICE = "Transaction request cannot include multiple operations on one item"


class Table:
    """A table and its calls. Keys are `p` and, where there is one, `s`."""

    def __init__(self, client, types, **indexes):
        self.client, self.name = client, f"limits-{uuid.uuid4()}"
        client.create_table(
            TableName=self.name,
            KeySchema=[{"AttributeName": k, "KeyType": t} for k, t in zip("ps", ("HASH", "RANGE")) if k in types],
            AttributeDefinitions=[{"AttributeName": k, "AttributeType": t} for k, t in types.items()],
            BillingMode="PAY_PER_REQUEST",
            **indexes,
        )
        client.get_waiter("table_exists").wait(TableName=self.name, WaiterConfig={"Delay": 1})

    def put(self, item, **more):
        return self.client.put_item(TableName=self.name, Item=item, **more)

    def get(self, key, **more):
        return self.client.get_item(TableName=self.name, Key=key, ConsistentRead=True, **more).get("Item")

    def update(self, key, expression, values=None, **more):
        if values:
            more["ExpressionAttributeValues"] = values
        return self.client.update_item(TableName=self.name, Key=key, UpdateExpression=expression, **more)

    def delete(self, key, **more):
        return self.client.delete_item(TableName=self.name, Key=key, **more)

    def query(self, p, **more):
        values = {":p": s(p), **more.pop("ExpressionAttributeValues", {})}
        asked = {"KeyConditionExpression": "p = :p", "ExpressionAttributeValues": values, **more}
        return self.client.query(TableName=self.name, **asked)

    def batch(self, items, **more):
        requests = [{"PutRequest": {"Item": item}} for item in items]
        return self.client.batch_write_item(RequestItems={self.name: requests}, **more)

    def batch_get(self, keys, **more):
        return self.client.batch_get_item(RequestItems={self.name: {"Keys": keys, **more}})

    def transact(self, *actions, **more):
        named = [{kind: {"TableName": self.name, **action}} for kind, action in actions]
        return self.client.transact_write_items(TransactItems=named, **more)

    def transact_get(self, keys, **more):
        gets = [{"Get": {"TableName": self.name, "Key": key}} for key in keys]
        return self.client.transact_get_items(TransactItems=gets, **more)


def tables(types, **indexes):
    """A fixture of such a table, for the whole file."""

    @pytest.fixture(scope="module")
    def made(admin):
        table = Table(admin("dynamodb"), types, **indexes)
        yield table
        table.client.delete_table(TableName=table.name)

    return made


flat = tables({"p": "S"})
numbered = tables({"p": "N"})
binary = tables({"p": "B"})
wide = tables(
    {"p": "S", "s": "S", "g": "S", "h": "S", "l": "S"},
    GlobalSecondaryIndexes=[
        {
            "IndexName": "global",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "h", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["shown"]},
        }
    ],
    LocalSecondaryIndexes=[
        {
            "IndexName": "local",
            "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "l", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
)


def s(text):
    return {"S": text}


def n(number):
    return {"N": str(number)}


@pytest.fixture
def own():
    """A key of one's own, always of the same length."""
    return uuid.uuid4().hex


def refused(call, *args, **kwargs):
    with pytest.raises(ClientError) as error:
        call(*args, **kwargs)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def invalid(call, *args, **kwargs):
    """What a call is told that breaks a rule. In some of AWS's regions it begins by counting the errors."""
    code, said = refused(call, *args, **kwargs)
    assert code == "ValidationException", said
    return said.removeprefix("1 validation error detected: ")


def judged(call, *args, **kwargs):
    """What a call is told of one of its values; older regions say which one it was."""
    said = invalid(call, *args, **kwargs)
    return re.sub(r"^ExpressionAttributeValues contains invalid value: (.*) for key :\w+$", r"\1", said, flags=re.S)


def constrained(call, *args, **kwargs):
    """The same, without the value that the message repeats."""
    return re.sub(r"^Value '.*' at '", "Value at '", invalid(call, *args, **kwargs), flags=re.S)


def cancelled(call):
    with pytest.raises(ClientError) as error:
        call()
    assert error.value.response["Error"]["Code"] == "TransactionCanceledException"
    return [(reason["Code"], reason.get("Message")) for reason in error.value.response["CancellationReasons"]]


def sized(p, size, used=0, **more):
    """An item of this many bytes; `more` of them are `used`."""
    item = {"p": s(p), **more, "padding": s("")}
    item["padding"] = s("x" * (size - used - len("p" + p + "padding")))
    return item


def units(answer):
    capacity = answer["ConsumedCapacity"]
    (capacity,) = capacity if isinstance(capacity, list) else [capacity]
    parts = {"all": capacity["CapacityUnits"]}
    if "Table" in capacity:
        parts["table"] = capacity["Table"]["CapacityUnits"]
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        parts |= {name: index["CapacityUnits"] for name, index in capacity.get(kind, {}).items()}
    return parts


@pytest.mark.parametrize(
    "written, kept",
    [
        ("007", "7"),
        ("1e2", "100"),
        ("1E+2", "100"),
        ("-0", "0"),
        ("0e125", "0"),
        ("0042.1200", "42.12"),
        ("-0015.789e6", "-15789000"),
        ("0000012345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ("-00001.23456789012345678901234567890123456780000", "-1.2345678901234567890123456789012345678"),
        ("9.9999999999999999999999999999999999999e125", NINES + "0" * 88),
        ("-0009.99999999999999999999999999999999999990000e125", f"-{NINES}{'0' * 88}"),
        ("0001.000e-130", TINY),
        ("-1e-130", f"-{TINY}"),
    ],
)
def test_a_number_is_kept_as_its_digits(flat, own, written, kept):
    flat.put({"p": s(own), "n": n(written), "set": {"NS": [written]}, "list": {"L": [n(written)]}})
    item = flat.get({"p": s(own)})
    assert (item["n"], item["set"], item["list"]) == (n(kept), {"NS": [kept]}, {"L": [n(kept)]})


@pytest.mark.parametrize(
    "written, said",
    [
        ("1" * 39, DIGITS),
        ("-1.23456789012345678901234567890123456789", DIGITS),
        ("1e126", OVERFLOW),
        ("-1e126", OVERFLOW),
        ("1e-131", UNDERFLOW),
        ("-1e-131", UNDERFLOW),
        ("0e126", OVERFLOW),
        ("0e-131", UNDERFLOW),
        ("1e2147483648", OVERFLOW),
        ("1e99999999999", OVERFLOW),
        ("-1e99999999999", OVERFLOW),
        ("1e-99999999999", UNDERFLOW),
        ("1e9223372036854775808", f"{NO_NUMBER}: 1e9223372036854775808"),
        ("one", f"{NO_NUMBER}: one"),
        ("1.2.3", f"{NO_NUMBER}: 1.2.3"),
        (" 1", f"{NO_NUMBER}:  1"),
        ("1 ", f"{NO_NUMBER}: 1 "),
        ("0x10", f"{NO_NUMBER}: 0x10"),
        ("1e", f"{NO_NUMBER}: 1e"),
        ("NaN", f"{NO_NUMBER}: NaN"),
        ("Infinity", f"{NO_NUMBER}: Infinity"),
    ],
)
def test_what_is_no_number_or_too_much_of_one_is_refused(flat, numbered, own, written, said):
    for value in (n(written), {"NS": ["1", written]}, {"M": {"deep": {"L": [n(written)]}}}):
        assert invalid(flat.put, {"p": s(own), "n": value}) == said
    assert invalid(flat.batch, [{"p": s(own), "n": n(written)}]) == said
    assert invalid(numbered.get, {"p": n(written)}) == said
    assert judged(flat.update, {"p": s(own)}, "SET n = :n", {":n": n(written)}) == said
    assert flat.get({"p": s(own)}) is None


@pytest.mark.parametrize(
    "value, newer, older",
    [
        (n("one"), f"{NO_NUMBER}: one", f"{NO_NUMBER}: one"),
        (n(""), f"{NO_NUMBER}: ", NO_NUMBER),
        (n("1e126"), OVERFLOW, OVERFLOW),
        ({"NS": ["1", "1e-131"]}, UNDERFLOW, UNDERFLOW),
        (
            {"SS": ["b", "a", "b"]},
            f'{COLLECTION} ["a", "b", "b"] contains duplicates.',
            f"{COLLECTION} [b, a, b] contains duplicates.",
        ),
        (
            {"BS": [b"\xff", b"\x00", b"\x00"]},
            f'{COLLECTION} ["AA==","/w==","AA=="]of type BS contains duplicates.',
            f"{COLLECTION} [/w==, AA==, AA==]of type BS contains duplicates.",
        ),
        ({"NS": ["2", "1", "2"]}, f"{COLLECTION} contains duplicates.", "Input collection contains duplicates"),
    ],
)
def test_each_operation_speaks_of_a_bad_value_in_its_own_words(flat, own, value, newer, older):
    key, one = {"p": s(own)}, "1 validation error detected: "
    values = {"ExpressionAttributeValues": {":v": value}}
    filtered = {"FilterExpression": "v = :v", "ExpressionAttributeValues": {":v": value}}

    def said(call, *args, **kwargs):
        code, words = refused(call, *args, **kwargs)
        assert code == "ValidationException"
        return words

    # As AWS answered in four regions in October 2026.
    assert said(flat.put, {**key, "v": value}) == one + newer
    assert said(flat.put, key, ConditionExpression="v = :v", **values) == one + newer
    assert said(flat.update, key, "SET v = :v", {":v": value}) == one + newer
    assert said(flat.delete, key, ConditionExpression="v = :v", **values) == one + newer
    assert said(flat.get, {"p": value}) == newer
    assert said(flat.batch_get, [{"p": value}]) == newer
    assert said(flat.query, own, **filtered) == newer
    assert said(flat.batch, [{**key, "v": value}]) == older
    assert flat.get(key) is None


def test_an_empty_number_is_none(flat, own):
    assert invalid(flat.put, {"p": s(own), "n": n("")}).rstrip(": ") == NO_NUMBER
    flat.put({"p": s(own), "n": n(0)})


def test_numbers_that_are_equal_are_one_key(numbered):
    numbered.put({"p": n("12.50"), "v": s("first")})
    for written in ("12.5", "1.25e1", "0012.500", "1250e-2"):
        assert numbered.get({"p": n(written)}) == {"p": n("12.5"), "v": s("first")}
    assert numbered.get({"p": n("12.500000000000000000000000000000000001")}) is None
    numbered.put({"p": n("-0"), "v": s("zero")})
    assert numbered.get({"p": n("0.00")})["v"] == s("zero")
    assert invalid(numbered.batch, [{"p": n("1")}, {"p": n("1.0")}]) == DUPLICATES


def test_sums_may_reach_the_bounds_and_not_go_beyond(flat, own):
    key, top = {"p": s(own)}, "9.9999999999999999999999999999999999999e125"
    flat.put({**key, "n": n(NINES)})
    flat.update(key, "SET n = n + :n", {":n": n(1)})
    assert flat.get(key)["n"] == n(f"1{'0' * 38}")
    flat.update(key, "SET n = :n", {":n": n(top)})
    assert invalid(flat.update, key, "SET n = n + :n", {":n": n(top)}) == OVERFLOW
    assert invalid(flat.update, key, "ADD n :n", {":n": n(top)}) == OVERFLOW
    flat.update(key, "SET n = n - :n", {":n": n(top)})
    assert flat.get(key)["n"] == n(0)


def test_a_set_holds_each_of_its_members_once(flat, own):
    item = {"p": s(own), "s": {"SS": ["a", "A", "ä"]}, "n": {"NS": ["1", "-1"]}, "b": {"BS": [b"\x00", b"\x00\x00"]}}
    flat.put(item)
    kept = flat.get({"p": s(own)})
    assert sorted(kept["s"]["SS"]) == ["A", "a", "ä"] and sorted(kept["b"]["BS"]) == item["b"]["BS"]
    # AWS's older layer names the members as they were sent, its newer one in quotes and sorted.
    for value, older, newer in (
        (
            {"SS": ["b", "a", "b"]},
            f"{COLLECTION} [b, a, b] contains duplicates.",
            f'{COLLECTION} ["a", "b", "b"] contains duplicates.',
        ),
        (
            {"BS": [b"\xff", b"\x00", b"\x00"]},
            f"{COLLECTION} [/w==, AA==, AA==]of type BS contains duplicates.",
            f'{COLLECTION} ["AA==","/w==","AA=="]of type BS contains duplicates.',
        ),
        ({"NS": ["2", "1", "2.0"]}, "Input collection contains duplicates", f"{COLLECTION} contains duplicates."),
    ):
        assert invalid(flat.batch, [{"p": s(own), "v": value}]) == older
        assert invalid(flat.put, {"p": s(own), "v": value}) in (older, newer)


def test_an_empty_set_is_refused_and_one_of_an_empty_member_is_not(flat, own):
    item = {"p": s(own), "s": {"SS": [""]}, "b": {"BS": [b""]}}
    flat.put(item)
    assert flat.get({"p": s(own)}) == item
    for value, what in (
        ({"SS": []}, "An string set  may not be empty"),
        ({"NS": []}, "An number set  may not be empty"),
        ({"BS": []}, "Binary sets should not be empty"),
    ):
        said = invalid(flat.put, {"p": s(own), "v": value})
        assert said == f"One or more parameter values were invalid: {what}"
    for kind, members in (("SS", ["a"]), ("NS", ["1"]), ("BS", [b"a"])):
        flat.put({"p": s(own), "v": {kind: members}})
        flat.update({"p": s(own)}, "DELETE v :v", {":v": {kind: members}})
        assert flat.get({"p": s(own)}) == {"p": s(own)}


def test_what_is_empty_is_kept_outside_of_keys(flat, own):
    item = {"p": s(own), "s": s(""), "b": {"B": b""}, "l": {"L": []}, "m": {"M": {}}}
    item["deep"] = {"L": [s(""), {"M": {"x": s("")}}]}
    flat.put(item)
    assert flat.get({"p": s(own)}) == item


def test_null_is_true_and_not_false(flat, own):
    flat.put({"p": s(own), "v": {"L": [{"NULL": True}]}})
    assert flat.get({"p": s(own)})["v"] == {"L": [{"NULL": True}]}
    said = "One or more parameter values were invalid: Null attribute value types must have the value of true"
    assert invalid(flat.put, {"p": s(own), "v": {"NULL": False}}) == said


def test_an_attribute_has_a_name(flat, own):
    flat.put({"p": s(own), " ": s("x")})
    for call in (flat.put, lambda item: flat.batch([item]), lambda item: flat.transact(("Put", {"Item": item}))):
        assert invalid(call, {"p": s(own), "": s("x")}) == "Empty attribute name"
    assert flat.get({"p": s(own)}) == {"p": s(own), " ": s("x")}


def test_an_empty_key_is_refused(flat, binary, wide, own):
    for key, table, kind in (({"p": s("")}, flat, "string"), ({"p": {"B": b""}}, binary, "binary")):
        for call in (
            lambda: table.put(key),
            lambda: table.get(key),
            lambda: table.delete(key),
            lambda: table.update(key, "SET v = :v", {":v": n(1)}),
            lambda: table.batch([key]),
            lambda: table.transact(("Put", {"Item": key})),
            lambda: table.transact(("Delete", {"Key": key})),
        ):
            assert invalid(call) == f"{EMPTY_KEY} {kind} value. Key: p"
    assert invalid(wide.put, {"p": s(own), "s": s("")}) == f"{EMPTY_KEY} string value. Key: s"
    index = "One or more parameter values are not valid. A value specified for a secondary index key is not supported."
    empty = EMPTY_KEY.removeprefix("One or more parameter values are not valid. ")
    said = invalid(wide.put, {"p": s(own), "s": s("1"), "g": s(""), "h": s("h")})
    assert said == f"{index} {empty} string value. IndexName: global, IndexKey: g"
    said = "The update expression attempted to update a secondary index key to a value that is not supported."
    assert invalid(wide.update, {"p": s(own), "s": s("1")}, "SET l = :e", {":e": s("")}) == (
        f"One or more parameter values are not valid. {said} {empty} string value."
    )
    wide.put({"p": s(own), "s": s(" "), "g": s(" "), "h": s(" "), "l": s(" ")})


def test_keys_have_their_longest(wide, own):
    whole = {"p": s("ä" * 1024), "s": s("x" * 1024), "g": s("g" * 2048), "h": s("h" * 1024), "l": s("l" * 1024)}
    wide.put(whole)
    key = {name: whole[name] for name in "ps"}
    assert wide.get(key) == whole
    for name, length, said in (
        ("p", 2049, HASH_SIZE),
        ("s", 1025, RANGE_SIZE),
        ("g", 2049, HASH_SIZE),
        ("h", 1025, RANGE_SIZE),
        ("l", 1025, RANGE_SIZE),
    ):
        assert invalid(wide.put, {**whole, name: s("x" * length)}) == said
        if name in "ps":
            longer = {**key, name: s("x" * length)}
            assert invalid(wide.get, longer) == said
            assert invalid(wide.update, longer, "SET v = :v", {":v": n(1)}) == said
        else:
            assert invalid(wide.update, key, f"SET {name} = :v", {":v": s("x" * length)}) == said
    assert wide.get(key) == whole
    wide.delete(key)
    # Where an index doesn't look, an attribute of its key's name may be as long as any other.
    wide.put({"p": s(own), "s": s("1"), "v": s("x" * 5000)})


def test_an_item_may_be_as_large_as_400_kb(flat, own):
    whole = sized(own, MOST)
    over = sized(own, MOST + 1)
    flat.put(whole)
    assert flat.get({"p": s(own)}) == whole
    assert invalid(flat.put, over) == ITEM_SIZE
    flat.batch([whole])
    assert invalid(flat.batch, [over]) == ITEM_SIZE
    flat.transact(("Put", {"Item": whole}))
    # A put's size is known before the transaction is begun, an update's isn't.
    assert invalid(flat.transact, ("Put", {"Item": over})) == ITEM_SIZE
    padded = {"Key": {"p": s(own)}, "UpdateExpression": "SET padding = :p"}
    flat.transact(("Update", {**padded, "ExpressionAttributeValues": {":p": whole["padding"]}}))
    action = ("Update", {**padded, "ExpressionAttributeValues": {":p": over["padding"]}})
    assert cancelled(lambda: flat.transact(action)) == [("ValidationError", UPDATED_SIZE)]
    assert flat.get({"p": s(own)}) == whole


def test_an_update_may_not_make_an_item_larger(flat, own):
    key = {"p": s(own)}
    flat.put({**key, "half": s("x" * (MOST // 2))})
    rest = MOST - len("p" + own + "half" + "rest") - MOST // 2
    # Some of AWS's regions count the words of the update too, a hundred bytes at most.
    flat.update(key, "SET rest = :r", {":r": s("x" * (rest - 100))})
    assert invalid(flat.update, key, "SET rest = :r", {":r": s("x" * (rest + 1))}) == UPDATED_SIZE
    assert len(flat.get(key)["rest"]["S"]) == rest - 100


@pytest.mark.parametrize(
    "value, size",
    [
        (s("ä"), 2),
        (s("😀"), 4),
        ({"B": bytes(3)}, 3),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["a", "bc"]}, 3),
        ({"BS": [b"\x01\x02", b"\x02", b"\x01"]}, 4),
        ({"L": []}, 3),
        ({"M": {}}, 3),
        ({"L": [s("a"), s("bc")]}, 3 + 2 + 3),
        ({"M": {"name": s("abc")}}, 3 + 1 + 4 + 3),
        (n(0), 1),
        (n("-0"), 1),
        (n(1), 2),
        (n(12), 2),
        (n(123), 3),
        (n(1234), 3),
        (n("12345678901234567890123456789012345678"), 20),
        (n("0042"), 2),
        (n(100), 2),
        (n(1010), 3),
        (n("0.0000001"), 2),
        (n("1E125"), 2),
        (n("1E-100"), 2),
        (n(15), 2),
        (n("1.5"), 3),
        (n("1.200"), 3),
        (n("1.234"), 4),
        (n("3.14159"), 5),
        (n(123456), 4),
        (n("100.5"), 4),
        (n("0.15"), 2),
        (n(-42), 3),
    ],
)
def test_a_value_is_measured_to_the_byte(flat, own, value, size):
    flat.put(sized(own, MOST, used=len("v") + size, v=value))
    assert invalid(flat.put, sized(own, MOST + 1, used=len("v") + size, v=value)) == ITEM_SIZE


def test_names_are_measured_too(flat, own):
    name = "ä" * 50
    flat.put(sized(own, MOST, used=101, **{name: s("x")}))
    assert invalid(flat.put, sized(own, MOST + 1, used=101, **{name: s("x")})) == ITEM_SIZE


@pytest.mark.parametrize("wrap", [lambda value: {"M": {"n": value}}, lambda value: {"L": [value]}], ids=["maps", "lists"])
def test_a_document_is_32_levels_deep_at_most(flat, own, wrap):
    key = {"p": s(own)}

    def deep(levels):
        value = s("leaf")
        for _ in range(levels - 1):
            value = wrap(value)
        return value

    def too_deep(call, *args):
        said = "Nesting Levels have exceeded supported limits"
        assert judged(call, *args).split(":")[0] == said

    flat.put({**key, "deep": deep(32)})
    assert flat.get(key)["deep"] == deep(32)
    flat.update(key, "SET unseen = :d", {":d": deep(32)})
    for call, argument in (
        (flat.put, {**key, "deep": deep(33)}),
        (lambda item: flat.batch([item]), {**key, "deep": deep(33)}),
        (lambda item: flat.transact(("Put", {"Item": item})), {**key, "deep": deep(33)}),
        (lambda value: flat.update(key, "SET deep = :d", {":d": value}), deep(33)),
    ):
        too_deep(call, argument)
    # What is put together of what is there is measured as well.
    too_deep(flat.update, key, "SET holder = :h", {":h": wrap(deep(32))})
    assert flat.get(key)["deep"] == deep(32)


def of_bytes(size, first, join, part):
    """An expression of so many bytes, of parts with names of their own; and how many."""
    parts, whole = 0, first
    while len(whole) + 200 < size:
        whole += (join if parts else "") + part(f"a{'x' * 40}{parts}", parts)
        parts += 1
    rest = size - len(whole + join + part("a", parts))
    return whole + join + part(f"a{'x' * rest}", parts), parts + 1


def test_an_expression_may_be_as_long_as_4_kb(flat, own):
    key = {"p": s(own)}

    def update(size):
        expression, parts = of_bytes(size, "SET ", ", ", lambda name, at: f"{name} = :v{at}")
        return flat.update(key, expression, {f":v{at}": n(at) for at in range(parts)})

    def condition(size):
        expression, _ = of_bytes(size, "", " AND ", lambda name, _: f"attribute_not_exists({name})")
        return flat.put(key, ConditionExpression=expression)

    def filtered(call):
        def ask(size):
            expression, parts = of_bytes(size, "", " OR ", lambda name, at: f"{name} = :v{at}")
            return call(FilterExpression=expression, ExpressionAttributeValues={f":v{at}": n(at) for at in range(parts)})

        return ask

    def projection(size):
        return flat.get(key, ProjectionExpression=of_bytes(size, "", ", ", lambda name, _: name)[0])

    for call, kind in (
        (condition, "ConditionExpression"),
        (update, "UpdateExpression"),
        (filtered(lambda **asked: flat.query(own, **asked)), "FilterExpression"),
        (filtered(lambda **asked: flat.client.scan(TableName=flat.name, **asked)), "FilterExpression"),
        (projection, "ProjectionExpression"),
    ):
        call(4096)
        said = invalid(call, 4097).removesuffix("expression size: 4097").rstrip("; ")
        assert said == f"Invalid {kind}: Expression size has exceeded the maximum allowed size"
    names = {f"#a{at}": "n" * 240 + str(at) for at in range(30)}
    flat.get(key, ProjectionExpression=", ".join(names), ExpressionAttributeNames=names)


def test_an_expression_has_a_most_of_operators_and_operands(flat, own):
    def filtered(expression, values):
        return flat.query(own, FilterExpression=expression, ExpressionAttributeValues=values)

    def comparisons(count):
        return filtered(" OR ".join(["a = :a"] * count), {":a": n(1)})

    def members(count):
        values = {f":v{at}": n(at) for at in range(count)}
        return filtered(f"a IN ({', '.join(values)})", values)

    comparisons(150)
    assert invalid(comparisons, 151) == (
        "Invalid FilterExpression: The expression contains too many operators; operator count: 301"
    )
    members(100)
    assert invalid(members, 101) == (
        "Invalid FilterExpression: The IN operator is provided with too many operands; number of operands: 101"
    )


def test_names_and_values_are_defined_and_used(flat, own):
    key = {"p": s(own)}
    value = {":v": n(1)}
    flat.update(key, "SET #n = :v", value, ExpressionAttributeNames={"#n": "size"})
    unused = "unused in expressions: keys"
    for expression, values, names, said in (
        ("SET a = :v", {**value, ":w": n(1)}, {}, f"Value provided in ExpressionAttributeValues {unused}: {{:w}}"),
        ("SET a = :v", value, {"#n": "b"}, f"Value provided in ExpressionAttributeNames {unused}: {{#n}}"),
        (
            "SET a = :w",
            value,
            {},
            "Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :w",
        ),
        (
            "SET #m = :v",
            value,
            {"#n": "b"},
            "Invalid UpdateExpression: An expression attribute name used in the document path is not defined;"
            " attribute name: #m",
        ),
        (
            "SET size = :v",
            value,
            {},
            "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: size",
        ),
        ("SET a = :v", {"v": n(1)}, {}, 'ExpressionAttributeValues contains invalid key: Syntax error; key: "v"'),
        ("SET a = :v", value, {"n": "b"}, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "n"'),
    ):
        more = {"ExpressionAttributeNames": names} if names else {}
        assert invalid(flat.update, key, expression, values, **more) == said
    alone = "can only be specified when using expressions"
    said = invalid(flat.put, key, ExpressionAttributeValues=value)
    assert said.removesuffix(": ConditionExpression is null") == f"ExpressionAttributeValues {alone}"
    assert invalid(flat.put, key, ExpressionAttributeNames={"#n": "b"}) == f"ExpressionAttributeNames {alone}"
    assert flat.get(key) == {**key, "size": n(1)}


@pytest.mark.parametrize(
    "condition, values, said",
    [
        ("begins_with(s, :v)", {":v": n(1)}, f"{OPERAND}: begins_with, operand type: N"),
        ("begins_with(s, :v)", {":v": {"BOOL": True}}, f"{OPERAND}: begins_with, operand type: BOOL"),
        ("s < :v", {":v": {"BOOL": True}}, f"{OPERAND}: <, operand type: BOOL"),
        (":v >= s", {":v": {"BOOL": True}}, f"{OPERAND}: >=, operand type: BOOL"),
        ("s BETWEEN :v AND :w", {":v": {"BOOL": False}, ":w": {"BOOL": True}}, f"{OPERAND}: BETWEEN, operand type: BOOL"),
        ("s = :v", {":v": {"BOOL": True}}, KEY_TYPE),
        ("s = :v", {":v": n(1)}, KEY_TYPE),
        (
            "s > :v AND s < :w",
            {":v": s("1"), ":w": s("5")},
            "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
        ),
        (
            "s > :v AND extra = :w",
            {":v": s("1"), ":w": s("5")},
            "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)",
        ),
    ],
)
def test_a_key_condition_asks_the_key_and_nothing_else(wide, own, condition, values, said):
    wide.query(own, KeyConditionExpression="p = :p AND begins_with(s, :v)", ExpressionAttributeValues={":v": s("1")})
    asked = {"KeyConditionExpression": f"p = :p AND {condition}", "ExpressionAttributeValues": values}
    assert invalid(wide.query, own, **asked) == said


def test_a_transaction_is_of_100_items_at_most(flat, own):
    keys = [{"p": s(f"{own}-{at}")} for at in range(101)]

    def put(items):
        return flat.transact(*[("Put", {"Item": item}) for item in items])

    too_many = "failed to satisfy constraint: Member must have length less than or equal to 100"
    assert constrained(put, keys) == f"Value at 'transactItems' {too_many}"
    assert flat.batch_get(keys[:100])["Responses"][flat.name] == []
    put(keys[:100])
    assert constrained(flat.transact_get, keys) == f"Value at 'transactItems' {too_many}"
    found = flat.transact_get([*keys[:99], keys[100]])["Responses"]
    assert found == [*({"Item": key} for key in keys[:99]), {}]
    assert invalid(put, [keys[0], keys[0]]) == TWICE
    assert invalid(flat.transact_get, [keys[0], keys[0]]) == TWICE


def test_a_transaction_is_of_4_mb_at_most(flat, own):
    def put(count):
        return flat.transact(*[("Put", {"Item": sized(f"{own}{at:02}", 350_000)}) for at in range(count)])

    put(11)
    assert refused(put, 12)[0] == "ValidationException"
    assert flat.get({"p": s(f"{own}10")}) and not flat.get({"p": s(f"{own}11")})


def test_a_key_of_another_type_cancels_a_transaction_and_an_empty_one_keeps_it_from_beginning(flat, own):
    other, schema = {"p": n(5)}, "The provided key element does not match the schema"
    mismatch = "One or more parameter values were invalid: Type mismatch for key p expected: S actual: N"
    first = ("Put", {"Item": {"p": s(own)}})
    update = {"UpdateExpression": "SET v = :v", "ExpressionAttributeValues": {":v": n(1)}}
    check = {"ConditionExpression": "attribute_not_exists(p)"}
    for kind, key, more, said in (
        ("Put", "Item", {}, mismatch),
        ("Update", "Key", update, schema),
        ("Delete", "Key", {}, schema),
        ("ConditionCheck", "Key", check, schema),
    ):
        assert cancelled(lambda: flat.transact(first, (kind, {key: other, **more}))) == [
            ("None", None),
            ("ValidationError", said),
        ]
        empty = invalid(flat.transact, first, (kind, {key: {"p": s("")}, **more}))
        assert empty == f"{EMPTY_KEY} string value. Key: p"
    assert flat.get({"p": s(own)}) is None


def test_a_batch_writes_25_items_at_most(flat, numbered, own):
    items = [{"p": s(f"{own}-{at:02}")} for at in range(26)]
    assert constrained(flat.batch, items) == (
        "Value at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint:"
        " [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]"
    )
    halves = {
        flat.name: [{"PutRequest": {"Item": item}} for item in items[:13]],
        numbered.name: [{"PutRequest": {"Item": {"p": n(1000 + at)}}} for at in range(13)],
    }
    said = "Too many items requested for the BatchWriteItem call"
    assert invalid(flat.client.batch_write_item, RequestItems=halves) == said
    assert flat.get(items[0]) is None
    assert flat.batch(items[:25])["UnprocessedItems"] == {}
    assert len(flat.batch_get(items)["Responses"][flat.name]) == 25
    assert invalid(flat.batch, [items[0], items[0]]) == DUPLICATES


def test_a_batch_gets_100_items_at_most(flat, numbered, own):
    keys = [{"p": s(f"{own}-{at}")} for at in range(101)]
    flat.put(keys[0])
    assert flat.batch_get(keys[:100])["Responses"][flat.name] == [keys[0]]
    assert constrained(flat.batch_get, keys) == (
        f"Value at 'RequestItems.{flat.name}.member.Keys' failed to satisfy constraint:"
        " Member must have length less than or equal to 100"
    )
    halves = {flat.name: {"Keys": keys[:51]}, numbered.name: {"Keys": [{"p": n(at)} for at in range(50)]}}
    said = "Too many items requested for the BatchGetItem call"
    assert invalid(flat.client.batch_get_item, RequestItems=halves) == said
    assert invalid(flat.batch_get, [keys[0], keys[0]]) == DUPLICATES


def test_a_batch_gets_16_mb_at_most_and_names_what_is_left(flat, own):
    items = [sized(f"{own}{at:02}", 390 * 1024) for at in range(45)]
    for at in range(0, 45, 15):
        assert flat.batch(items[at : at + 15])["UnprocessedItems"] == {}
    keys = [{"p": item["p"]} for item in items]
    answer = flat.batch_get(keys, ConsistentRead=True)
    first, left = answer["Responses"][flat.name], answer["UnprocessedKeys"][flat.name]
    assert left["ConsistentRead"] and len(first) + len(left["Keys"]) == 45
    assert 15 * MB < len(first) * 390 * 1024 <= 16 * MB
    answer = flat.batch_get(left["Keys"])
    rest = answer["Responses"][flat.name]
    assert answer["UnprocessedKeys"] == {}
    assert sorted(item["p"]["S"] for item in first + rest) == [item["p"]["S"] for item in items]


def test_a_page_is_of_1_mb_at_most(wide, own):
    items = [{"p": s(own), "s": s(f"{at:02}"), "padding": s("x" * 60_000)} for at in range(20)]
    wide.batch(items)
    # AWS ends the page with the item that goes over it.
    over = (17, 18)
    page = wide.query(own)
    assert page["Count"] == page["ScannedCount"] and page["Count"] in over
    assert page["LastEvaluatedKey"] == {"p": s(own), "s": s(f"{page['Count'] - 1:02}")}
    rest = wide.query(own, ExclusiveStartKey=page["LastEvaluatedKey"])
    assert page["Items"] + rest["Items"] == items and "LastEvaluatedKey" not in rest
    # What is filtered and projected away was read nonetheless.
    none = wide.query(own, FilterExpression="attribute_exists(absent)", ProjectionExpression="s", **TOTAL)
    assert (none["Count"], none["Items"]) == (0, []) and none["ScannedCount"] in over
    assert none["LastEvaluatedKey"] == page["LastEvaluatedKey"]
    size = len("p" + own + "s" + "00" + "padding") + 60_000
    assert units(none)["all"] == -(-none["ScannedCount"] * size // 4096) / 2
    counted = wide.query(own, Select="COUNT")
    assert "Items" not in counted and counted["Count"] == page["Count"]
    assert wide.query(own, Limit=5)["Count"] == 5
    pages = list(wide.client.get_paginator("scan").paginate(TableName=wide.name))
    assert len(pages) >= 2 and [item for page in pages for item in page["Items"] if item["p"] == s(own)] == items


def test_a_write_costs_a_unit_for_each_kilobyte(flat, own):
    key = {"p": s(own)}
    assert units(flat.put(sized(own, 1024), **TOTAL)) == {"all": 1}
    assert units(flat.put(sized(own, 1024), **INDEXES)) == {"all": 1, "table": 1}
    assert units(flat.put(sized(own, 1025), **TOTAL)) == {"all": 2}
    # An item that gets smaller, or goes, costs what it was.
    assert units(flat.put(key, **TOTAL)) == {"all": 2}
    flat.put(sized(own, 3000))
    assert units(flat.update(key, "REMOVE padding", **TOTAL)) == {"all": 3}
    assert units(flat.update(key, "SET padding = :p", {":p": s("x" * 2000)}, **TOTAL)) == {"all": 2}
    assert units(flat.delete(key, **TOTAL)) == {"all": 2}
    assert units(flat.delete(key, **TOTAL)) == {"all": 1}
    assert units(flat.batch([sized(own, 1024), sized(f"{own}2", 1025)], **TOTAL)) == {"all": 3}
    assert "ConsumedCapacity" not in flat.put(key) and "ConsumedCapacity" not in flat.put(key, ReturnConsumedCapacity="NONE")


def test_a_read_costs_half_a_unit_for_each_4_kilobytes_and_twice_that_where_it_is_consistent(flat, own):
    def cost(size, **more):
        flat.put(sized(own, size))
        return units(flat.client.get_item(TableName=flat.name, Key={"p": s(own)}, **more))

    assert cost(4096, **TOTAL) == {"all": 0.5} and cost(4097, **INDEXES) == {"all": 1, "table": 1}
    assert cost(4096, ConsistentRead=True, **TOTAL) == {"all": 1}
    assert cost(4097, ConsistentRead=True, **TOTAL) == {"all": 2}
    assert cost(4097, ConsistentRead=True, ProjectionExpression="p", **TOTAL) == {"all": 2}
    absent = {"p": s(f"{own}-absent")}
    assert units(flat.client.get_item(TableName=flat.name, Key=absent, **TOTAL)) == {"all": 0.5}
    flat.put(sized(f"{own}2", 100))
    for consistent, expected in ((False, 2), (True, 4)):
        asked = {"Keys": [{"p": s(own)}, {"p": s(f"{own}2")}, absent], "ConsistentRead": consistent}
        assert units(flat.client.batch_get_item(RequestItems={flat.name: asked}, **TOTAL)) == {"all": expected}


def test_a_transaction_costs_twice(flat, own):
    keys = [{"p": s(f"{own}{at}")} for at in range(3)]
    put = [("Put", {"Item": sized(f"{own}0", 1024)}), ("Put", {"Item": sized(f"{own}1", 1025)})]
    assert units(flat.transact(*put, **TOTAL)) == {"all": 2 + 4}
    assert units(flat.transact_get(keys[:2], **TOTAL)) == {"all": 2 + 2}
    flat.put(sized(f"{own}0", 4097))
    assert units(flat.transact_get(keys[:1], **TOTAL)) == {"all": 4}
    update = {"Key": keys[1], "UpdateExpression": "REMOVE padding"}
    assert units(flat.transact(("Delete", {"Key": keys[0]}), ("Update", update), **TOTAL)) == {"all": 2 * 5 + 2 * 2}


def test_a_query_costs_what_it_read_together(wide, own):
    for at in range(6):
        wide.put({"p": s(own), "s": s(f"{at}"), "padding": s("x" * 1000), "g": s(own), "h": s(f"{at}"), "l": s(f"{at}")})
    # Six items of more than 1,000 bytes each are less than 8 KB together.
    assert units(wide.query(own, **INDEXES)) == {"all": 1, "table": 1}
    assert units(wide.query(own, ConsistentRead=True, **TOTAL)) == {"all": 2}
    nothing = {"FilterExpression": "attribute_exists(absent)"}
    assert units(wide.query(own, **nothing, **TOTAL)) == {"all": 1}
    assert units(wide.query(own, ProjectionExpression="s", **TOTAL)) == {"all": 1}
    assert units(wide.query(own, Limit=3, **TOTAL)) == {"all": 0.5}
    assert units(wide.query("nobody", **TOTAL)) == {"all": 0.5}
    local = wide.query(own, IndexName="local", **INDEXES)
    assert units(local) == {"all": 1, "table": 0, "local": 1}
    condition = {"KeyConditionExpression": "g = :p", "IndexName": "global"}
    # The index holds no padding.
    assert units(wide.query(own, **condition, **INDEXES)) == {"all": 0.5, "table": 0, "global": 0.5}


def test_a_write_costs_a_unit_for_each_index_that_it_changes(wide, own):
    def put(at, **attributes):
        item = {"p": s(own), "s": s(at), **{name: s(value) for name, value in attributes.items()}}
        return units(wide.put(item, **INDEXES))

    whole = {"g": "g", "h": "h", "l": "l", "shown": "1", "unseen": "1"}
    assert put("1", unseen="1") == {"all": 1, "table": 1}
    assert put("2", g="g", h="h") == {"all": 2, "table": 1, "global": 1}
    assert put("3", g="g") == {"all": 1, "table": 1}
    assert put("4", l="l") == {"all": 2, "table": 1, "local": 1}
    assert put("5", **whole) == {"all": 3, "table": 1, "global": 1, "local": 1}
    # Nothing that the indexes hold has changed.
    assert put("5", **whole) == {"all": 1, "table": 1}

    def update(expression, value=None):
        values = {":v": s(value)} if value else None
        return units(wide.update({"p": s(own), "s": s("5")}, expression, values, **INDEXES))

    assert update("SET unseen = :v", "2") == {"all": 2, "table": 1, "local": 1}
    assert update("SET shown = :v", "2") == {"all": 3, "table": 1, "global": 1, "local": 1}
    # Another key is another entry, and the old one goes.
    assert update("SET g = :v", "g2") == {"all": 4, "table": 1, "global": 2, "local": 1}
    assert update("SET l = :v", "l2") == {"all": 3, "table": 1, "local": 2}
    assert update("REMOVE g") == {"all": 3, "table": 1, "global": 1, "local": 1}
    assert units(wide.delete({"p": s(own), "s": s("5")}, **INDEXES)) == {"all": 2, "table": 1, "local": 1}
    assert units(wide.delete({"p": s(own), "s": s("2")}, **INDEXES)) == {"all": 2, "table": 1, "global": 1}
    assert units(wide.delete({"p": s(own), "s": s("1")}, **INDEXES)) == {"all": 1, "table": 1}
