"""PynamoDB's models: what an app writes that never sees DynamoDB's own words."""

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from pynamodb.attributes import (
    BinaryAttribute,
    BinarySetAttribute,
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NullAttribute,
    NumberAttribute,
    NumberSetAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.connection import Connection
from pynamodb.exceptions import (
    DeleteError,
    GetError,
    PutError,
    QueryError,
    ScanError,
    TableError,
    TransactGetError,
    TransactWriteError,
    UpdateError,
)
from pynamodb.expressions.operand import Path
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, IncludeProjection, LocalSecondaryIndex
from pynamodb.models import Model
from pynamodb.transactions import TransactGet, TransactWrite

FAILED = ("ConditionalCheckFailedException", "The conditional request failed")
NO_TABLE = ("ResourceNotFoundException", "Requested resource not found")


class Place(MapAttribute):
    city = UnicodeAttribute()
    height = NumberAttribute(null=True)


def about(server, name, key):
    """What a model's `Meta` says: which table, where, and who asks."""
    return {
        "table_name": name,
        "region": "us-east-1",
        "host": server.url,
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
        "max_retry_attempts": 0,
        "billing_mode": "PAY_PER_REQUEST",
    }


def notes(server, name, key):
    """The model of notes, in this table and by this key."""

    class ByColor(GlobalSecondaryIndex):
        class Meta:
            index_name = "by-color"
            projection = AllProjection()

        color = UnicodeAttribute(hash_key=True)
        at = NumberAttribute(range_key=True)

    class ByTitle(LocalSecondaryIndex):
        class Meta:
            index_name = "by-title"
            projection = IncludeProjection(["color"])

        owner = UnicodeAttribute(hash_key=True)
        title = UnicodeAttribute(range_key=True)

    class Note(Model):
        Meta = type("Meta", (), about(server, name, key))

        owner = UnicodeAttribute(hash_key=True)
        at = NumberAttribute(range_key=True)
        title = UnicodeAttribute(null=True)
        color = UnicodeAttribute(null=True)
        bytes_ = BinaryAttribute(attr_name="bytes", null=True, legacy_encoding=False)
        done = BooleanAttribute(null=True)
        nothing = NullAttribute(null=True)
        words = UnicodeSetAttribute(null=True)
        numbers = NumberSetAttribute(null=True)
        blobs = BinarySetAttribute(null=True, legacy_encoding=False)
        list_ = ListAttribute(attr_name="list", null=True)
        places = ListAttribute(of=Place, null=True)
        place = Place(null=True)
        free = MapAttribute(null=True)
        any_ = JSONAttribute(attr_name="any", null=True)
        ends = TTLAttribute(null=True)
        made = UTCDateTimeAttribute(null=True)
        hits = NumberAttribute(null=True)
        by_color = ByColor()
        by_title = ByTitle()

    return Note


def pages(server, name, key):
    """The model of pages that are written by many: each has a version."""

    class Page(Model):
        Meta = type("Meta", (), about(server, name, key))

        path = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute(null=True)
        version = VersionAttribute()

    return Page


@pytest.fixture(scope="module")
def own(homeport):
    keys = homeport.credentials()
    return {"AccessKeyId": keys["accessKeyId"], "SecretAccessKey": keys["secretAccessKey"]}


def made(model):
    # The TTL is asked for too; what becomes of it isn't this file's.
    model.create_table(wait=True, ignore_update_ttl_errors=True)
    return model


@pytest.fixture(scope="module")
def table(homeport, own):
    model = made(notes(homeport, f"notes-{uuid.uuid4()}", own))
    yield model
    model.delete_table()


@pytest.fixture(scope="module")
def versioned(homeport, own):
    model = made(pages(homeport, f"pages-{uuid.uuid4()}", own))
    yield model
    model.delete_table()


@pytest.fixture
def owner():
    """A partition of one's own."""
    return f"ada-{uuid.uuid4()}"


@pytest.fixture
def user(admin):
    """Makes a user who may do this and nothing else; answers its name and key."""

    def make(actions, resource):
        name, iam = f"user-{uuid.uuid4()}", admin("iam")
        iam.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=policy)
        return name, iam.create_access_key(UserName=name)["AccessKey"]

    return make


def refused(kind, call, *args, **kwargs):
    with pytest.raises(kind) as error:
        call(*args, **kwargs)
    return error.value.cause_response_code, error.value.cause_response_message


def written(model, owner, count, **more):
    """Items 0 to `count`, every third of one colour."""
    with model.batch_write() as batch:
        for n in range(count):
            batch.save(model(owner, n, color=f"{owner}-{n % 3}", title=f"{count - n:03}", **more))


def plain(value):
    """Maps are compared by what they hold."""
    if isinstance(value, MapAttribute):
        return value.as_dict()
    return [plain(one) for one in value] if isinstance(value, list) else value


def ats(found):
    return [note.at for note in found]


def cancelled(kind, call):
    """The codes and words of a transaction that was given up."""
    with pytest.raises(kind) as error:
        call()
    assert error.value.cause_response_code == "TransactionCanceledException"
    reasons = error.value.cancellation_reasons
    codes = ", ".join(reason.code if reason else "None" for reason in reasons)
    words = "Transaction cancelled, please refer cancellation reasons for specific reasons"
    assert error.value.cause_response_message == f"{words} [{codes}]"
    return reasons


def test_a_table_is_there_from_its_creation_to_its_deletion(homeport, own):
    model = notes(homeport, f"brief-{uuid.uuid4()}", own)
    assert not model.exists()
    assert refused(PutError, model("ada", 1).save) == NO_TABLE
    made(model)
    assert model.exists()
    told = model.describe_table()
    assert (told["TableStatus"], told["BillingModeSummary"]["BillingMode"]) == ("ACTIVE", "PAY_PER_REQUEST")
    assert told["KeySchema"] == [
        {"AttributeName": "owner", "KeyType": "HASH"},
        {"AttributeName": "at", "KeyType": "RANGE"},
    ]
    assert [index["IndexName"] for index in told["GlobalSecondaryIndexes"]] == ["by-color"]
    (local,) = told["LocalSecondaryIndexes"]
    assert local["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["color"]}
    made(model)
    model("ada", 1).save()
    model.delete_table(wait=True)
    assert not model.exists()
    assert refused(PutError, model("ada", 1).save) == NO_TABLE
    assert refused(TableError, model.delete_table) == (
        "ResourceNotFoundException",
        f"Requested resource not found: Table: {model.Meta.table_name} not found",
    )


def test_a_table_is_not_made_twice(homeport, own, table):
    connection = Connection(region="us-east-1", host=homeport.url)
    connection.session.set_credentials(own["AccessKeyId"], own["SecretAccessKey"])
    name = table.Meta.table_name
    schema = {
        "attribute_definitions": [{"attribute_name": "p", "attribute_type": "S"}],
        "key_schema": [{"attribute_name": "p", "key_type": "HASH"}],
        "billing_mode": "PAY_PER_REQUEST",
    }
    assert refused(TableError, connection.create_table, name, **schema) == (
        "ResourceInUseException",
        f"Table already exists: {name}",
    )


def test_a_table_of_bought_capacity_tells_what_it_bought(homeport, own):
    model = pages(homeport, f"bought-{uuid.uuid4()}", own)
    model.create_table(wait=True, billing_mode="PROVISIONED", read_capacity_units=3, write_capacity_units=2)
    bought = model.describe_table()["ProvisionedThroughput"]
    assert (bought["ReadCapacityUnits"], bought["WriteCapacityUnits"]) == (3, 2)
    model.delete_table()


def test_every_attribute_comes_back_as_it_was(admin, table, owner):
    then = datetime(2031, 2, 3, 4, 5, 6, 789000, tzinfo=timezone.utc)
    values = {
        "title": "ä \u0001 \"quoted\" 😀",
        "bytes_": bytes(range(256)),
        "done": False,
        "words": {"a", "b"},
        "numbers": {-1, 2.5, 3e20},
        "blobs": {b"\x00", b"\xff\xfe"},
        "list_": [1, "two", True, None, [3, {"four": 5}]],
        "places": [Place(city="Bern", height=540), Place(city="Rome")],
        "place": Place(city="Oslo", height=23),
        "free": {"anything": {"goes": [1, 2]}},
        "any_": {"json": [None, 1.5, "x"]},
        "ends": then.replace(microsecond=0),
        "made": then,
        "hits": -0.125,
    }
    table(owner, 1, **values).save()
    found = table.get(owner, 1, consistent_read=True)
    for name, value in values.items():
        assert plain(getattr(found, name)) == plain(value), name
    assert found.nothing is None and found.color is None
    key = {"owner": {"S": owner}, "at": {"N": "1"}}
    item = admin("dynamodb").get_item(TableName=table.Meta.table_name, Key=key)["Item"]
    assert item["ends"] == {"N": str(int(then.timestamp()))}
    assert (item["made"], item["any"]) == (
        {"S": "2031-02-03T04:05:06.789000+0000"},
        {"S": json.dumps(values["any_"])},
    )
    assert item["bytes"] == {"B": values["bytes_"]} and "color" not in item


def test_an_item_that_is_not_there_is_not_found(table, owner):
    table(owner, 1).save()
    assert table.get(owner, 1).at == 1
    with pytest.raises(table.DoesNotExist):
        table.get(owner, 2)
    with pytest.raises(table.DoesNotExist):
        table(owner, 2).refresh()


def test_only_the_attributes_asked_for_come_back(table, owner):
    table(owner, 1, title="kept", color="red", place=Place(city="Bern", height=540)).save()
    found = table.get(owner, 1, attributes_to_get=["title", "place.city"])
    assert (found.title, found.place.city, found.place.height, found.color) == ("kept", "Bern", None, None)


def test_a_note_is_saved_where_its_condition_holds(table, owner):
    note = table(owner, 1, title="first", hits=3)
    note.save(table.owner.does_not_exist())
    assert refused(PutError, table(owner, 1).save, table.owner.does_not_exist()) == FAILED
    held = [
        table.hits == 3,
        table.hits.between(1, 3),
        table.hits.is_in(2, 3),
        ~(table.hits > 3),
        (table.hits < 0) | table.title.startswith("fi"),
        table.title.contains("irs"),
        table.title.is_type(),
        table.color.does_not_exist() & table.title.exists(),
    ]
    failing = [
        table.hits != 3,
        table.hits.between(4, 5),
        table.hits.is_in(2, 4),
        ~(table.hits >= 3),
        (table.hits < 0) | table.title.startswith("se"),
        table.title.contains("z"),
        table.color.is_type(),
        table.color.exists() | table.title.does_not_exist(),
    ]
    for holds, fails in zip(held, failing):
        note.save(holds)
        assert refused(PutError, note.save, fails) == FAILED, fails
    assert table.get(owner, 1).title == "first"


def test_a_note_is_deleted_where_its_condition_holds(table, owner):
    note = table(owner, 1, title="first")
    note.save()
    assert refused(DeleteError, note.delete, table.title == "second") == FAILED
    note.refresh()
    note.delete(table.title == "first")
    assert refused(DeleteError, note.delete, table.title == "first") == FAILED
    note.delete()
    with pytest.raises(table.DoesNotExist):
        note.refresh()


def test_an_update_answers_the_note_it_made(table, owner):
    note = table(owner, 1, title="first", hits=1, list_=["b"], words={"x", "y"}, place=Place(city="Bern", height=540))
    note.save()
    note.update(
        [
            table.title.set("second"),
            table.hits.set(table.hits + 4),
            table.color.set(table.color | "blue"),
            table.list_.set(table.list_.append(["c"])),
            table.words.add({"z"}),
            table.place.city.set("Rome"),
            table.place.height.remove(),
        ]
    )
    assert (note.title, note.hits, note.color, note.list_) == ("second", 5, "blue", ["b", "c"])
    assert (note.words, note.place.city, note.place.height) == ({"x", "y", "z"}, "Rome", None)
    note.update(
        [
            table.hits.set(table.hits - 2),
            table.color.set(table.color | "red"),
            table.list_.set(table.list_.prepend(["a"])),
            table.words.delete({"x", "absent"}),
            table.title.remove(),
        ]
    )
    assert (note.hits, note.color, note.list_, note.words) == (3, "blue", ["a", "b", "c"], {"y", "z"})
    note.update([table.hits.add(1), table.list_[1].set("B"), table.words.delete({"y", "z"})])
    assert (note.hits, note.list_, note.words, note.title) == (4, ["a", "B", "c"], None, None)
    note.update([table.list_[0].remove()])
    found = table.get(owner, 1)
    assert found.list_ == ["B", "c"] and found.serialize() == note.serialize()


def test_an_update_makes_the_note_that_was_not_there(table, owner):
    note = table(owner, 1)
    assert refused(UpdateError, note.update, [table.hits.add(1)], table.owner.exists()) == FAILED
    with pytest.raises(table.DoesNotExist):
        note.refresh()
    note.update([table.hits.add(1)], table.owner.does_not_exist())
    assert table.get(owner, 1).hits == 1


def test_an_update_that_can_not_be_done_changes_nothing(table, owner):
    note = table(owner, 1, title="text", hits=1)
    note.save()
    kept = table.get(owner, 1).serialize()

    def fails(*actions):
        assert table.get(owner, 1).serialize() == kept
        code, said = refused(UpdateError, table(owner, 1).update, list(actions))
        assert code == "ValidationException"
        return said

    # A path of the model's own would be refused before it is sent.
    untyped, missing = Path("title"), Path("color")
    operand = "An operand in the update expression has an incorrect data type"
    path = "The document path provided in the update expression is invalid for update"
    absent = "The provided expression refers to an attribute that does not exist in the item"
    assert fails(table.hits.add(1), untyped.set(untyped + 1)) == operand
    assert fails(table.hits.set(2), table.place.city.set("Bern")) == path
    assert fails(missing.set(missing + 1)) == absent
    assert fails(table.at.set(2)) == (
        "One or more parameter values were invalid: Cannot update attribute at. This attribute is part of the key"
    )
    assert fails(table.hits.set(2), table.hits.remove()) == (
        "1 validation error detected: Invalid UpdateExpression: Two document paths overlap with each other;"
        " must remove or rewrite one of these paths; path one: [hits], path two: [hits]"
    )


def test_a_page_is_written_by_whoever_read_it_last(versioned, owner):
    page = versioned(owner, text="first")
    page.save()
    assert page.version == 1
    mine, theirs = versioned.get(owner), versioned.get(owner)
    theirs.text = "theirs"
    theirs.save()
    mine.text = "mine"
    assert refused(PutError, mine.save) == FAILED
    assert refused(UpdateError, mine.update, [versioned.text.set("mine")]) == FAILED
    assert refused(DeleteError, mine.delete) == FAILED
    assert refused(PutError, versioned(owner, text="new").save) == FAILED
    mine.refresh()
    assert (mine.text, mine.version) == ("theirs", 2)
    mine.update([versioned.text.set("mine")])
    assert (mine.text, mine.version) == ("mine", 3)
    mine.delete()
    assert refused(DeleteError, mine.delete) == FAILED


def test_of_writers_of_one_version_one_wins(versioned, owner):
    versioned(owner, text="first").save()
    read = [versioned.get(owner) for _ in range(8)]

    def write(page):
        try:
            page.update([versioned.text.set("next")])
        except UpdateError as error:
            return error.cause_response_code
        return "written"

    with ThreadPoolExecutor(8) as threads:
        said = sorted(threads.map(write, read))
    assert said == [FAILED[0]] * 7 + ["written"]
    assert versioned.get(owner).version == 2


def test_batches_larger_than_a_call_are_cut_by_the_client(table, owner):
    written(table, owner, 130)
    keys = [(owner, n) for n in range(-5, 130)]
    assert sorted(ats(table.batch_get(keys, consistent_read=True))) == list(range(130))
    assert {note.title for note in table.batch_get(keys[:7], attributes_to_get=["title"])} == {"130", "129"}
    with table.batch_write() as batch:
        for note in table.query(owner, table.at < 60):
            batch.delete(note)
        batch.save(table(owner, 500))
    assert ats(table.query(owner)) == [*range(60, 130), 500]


def test_a_batch_may_not_name_a_key_twice(table, owner):
    def batch():
        with table.batch_write() as writes:
            writes.save(table(owner, 1))
            writes.save(table(owner, 1, title="again"))

    assert refused(PutError, batch) == ("ValidationException", "Provided list of item keys contains duplicates")
    assert table.count(owner) == 0


def test_a_query_finds_a_stretch_of_a_partition(table, owner):
    written(table, owner, 12)
    for stretch, expected in (
        (table.at == 3, [3]),
        (table.at < 2, [0, 1]),
        (table.at <= 2, [0, 1, 2]),
        (table.at > 9, [10, 11]),
        (table.at >= 9, [9, 10, 11]),
        (table.at.between(4, 6), [4, 5, 6]),
        (table.at == 12, []),
    ):
        assert ats(table.query(owner, stretch)) == expected, stretch
    assert ats(table.query(owner, table.at < 3, scan_index_forward=False)) == [2, 1, 0]
    assert ats(table.query(owner, table.at > 1, limit=2)) == [2, 3]
    filtered = table.query(owner, table.at < 9, table.color == f"{owner}-0")
    assert ats(filtered) == [0, 3, 6]
    assert filtered.page_iter.total_scanned_count == 9
    assert ats(table.query("nobody")) == []


def test_indexes_are_queried_by_their_own_keys(table, owner):
    written(table, owner, 9, hits=1)
    table(owner, 100, title="no colour").save()
    assert ats(table.by_color.query(f"{owner}-1", table.at > 1)) == [4, 7]
    assert ats(table.by_title.query(owner, table.title.startswith("00"), scan_index_forward=False)) == list(range(9))
    (found,) = table.by_title.query(owner, table.title == "004")
    assert (found.at, found.color, found.hits) == (5, f"{owner}-2", None)
    assert table.by_color.count(f"{owner}-1") == 3
    table.get(owner, 4).update([table.color.remove()])
    assert ats(table.by_color.query(f"{owner}-1")) == [1, 7]
    assert owner not in {note.owner for note in table.by_color.scan(table.at == 100)}


def test_a_query_that_can_not_be_asked_is_refused(table, owner):
    def said(*args, **kwargs):
        code, message = refused(QueryError, lambda: list(table.query(*args, **kwargs)))
        assert code == "ValidationException"
        return message

    assert said(owner, table.color == "red") == "Query condition missed key schema element: at"
    assert said(owner, table.at != 1) == "Invalid operator used in KeyConditionExpression: <>"
    on_key = "Filter Expression can only contain non-primary key attributes: Primary key attribute: at"
    assert said(owner, None, table.at == 1) == on_key
    consistent = {"index_name": "by-color", "consistent_read": True}
    assert said("red", **consistent) == "Consistent reads are not supported on global secondary indexes"
    upside_down = (
        "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower"
        " bound; lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}"
    )
    assert said(owner, table.at.between(2, 1)) == upside_down


def test_a_query_goes_on_where_it_ended(table, owner):
    written(table, owner, 10)
    first = table.query(owner, limit=4)
    assert ats(first) == [0, 1, 2, 3]
    assert first.last_evaluated_key == {"owner": {"S": owner}, "at": {"N": "3"}}
    rest = table.query(owner, last_evaluated_key=first.last_evaluated_key, page_size=2)
    assert ats(rest) == list(range(4, 10)) and rest.last_evaluated_key is None
    back = table.query(owner, scan_index_forward=False, limit=3, last_evaluated_key=first.last_evaluated_key)
    assert ats(back) == [2, 1, 0]
    indexed = table.by_color.query(f"{owner}-0", limit=2)
    assert ats(indexed) == [0, 3]
    assert set(indexed.last_evaluated_key) == {"owner", "at", "color"}
    assert ats(table.by_color.query(f"{owner}-0", last_evaluated_key=indexed.last_evaluated_key)) == [6, 9]


def test_a_query_goes_on_from_no_other_place(table, owner):
    written(table, owner, 3)
    foreign = {"owner": {"S": "somebody"}, "at": {"N": "1"}}
    outside = "The provided starting key is outside query boundaries based on provided conditions"
    invalid = "The provided starting key is invalid"
    predicate = "The provided starting key does not match the range key predicate"
    for stretch, start, said in (
        (None, foreign, outside),
        (table.at > 1, {"owner": {"S": owner}, "at": {"N": "1"}}, predicate),
        (None, {"owner": {"S": owner}}, invalid),
    ):
        found = table.query(owner, stretch, last_evaluated_key=start)
        assert refused(QueryError, lambda: list(found)) == ("ValidationException", said)


def test_a_rate_limit_goes_by_what_was_consumed(table, owner):
    written(table, owner, 5)
    # Half a unit each, at ten units a second: five pauses.
    began = time.monotonic()
    assert ats(table.query(owner, page_size=1, rate_limit=10)) == list(range(5))
    assert time.monotonic() - began >= 0.2
    began = time.monotonic()
    assert len(list(table.scan(table.owner == owner, rate_limit=10_000))) == 5
    assert table.count(owner, rate_limit=10_000) == 5


def test_segments_of_a_scan_make_the_whole(table, owner):
    written(table, owner, 40)
    with table.batch_write() as batch:
        for n in range(40):
            batch.save(table(f"{owner}-{n}", 0, title="scanned"))

    def segment(n):
        return list(table.scan(segment=n, total_segments=4, page_size=7))

    with ThreadPoolExecutor(4) as threads:
        found = [(note.owner, note.at) for part in threads.map(segment, range(4)) for note in part]
    whole = [(note.owner, note.at) for note in table.scan()]
    assert len(found) == len(set(found)) and sorted(found) == sorted(whole)
    assert len([1 for who, _ in whole if who.startswith(owner)]) == 80
    few = table.scan(table.owner.startswith(owner) & (table.title == "scanned"), attributes_to_get=["owner"])
    assert sorted(note.owner for note in few) == sorted(f"{owner}-{n}" for n in range(40))
    assert len(list(table.scan(limit=3))) == 3


def test_a_segment_beyond_the_last_is_refused(table):
    assert isinstance(list(table.scan(segment=1, total_segments=2)), list)
    assert refused(ScanError, lambda: list(table.scan(segment=2, total_segments=2))) == (
        "ValidationException",
        "The Segment parameter is zero-based and must be less than parameter TotalSegments",
    )


def test_counts_are_of_what_was_asked(table, owner):
    written(table, owner, 10)
    assert table.count(owner) == 10
    assert table.count(owner, table.at < 4) == 4
    assert table.count(owner, table.at < 4, table.color == f"{owner}-0") == 2
    assert table.count(owner, limit=3) == 10
    assert table.count("nobody") == 0


def test_a_transaction_writes_all_of_it(homeport, table, versioned, owner):
    connection = table._get_connection().connection
    table(owner, 1, hits=1).save()
    table(owner, 2).save()
    page = versioned(owner, text="first")
    with TransactWrite(connection=connection) as transaction:
        transaction.save(table(owner, 3, title="new"), condition=table.owner.does_not_exist())
        transaction.update(table(owner, 1), [table.hits.add(1)], condition=table.hits == 1)
        transaction.delete(table(owner, 2))
        transaction.condition_check(table, owner, 4, condition=table.owner.does_not_exist())
        transaction.save(page)
    assert [(note.at, note.hits, note.title) for note in table.query(owner)] == [(1, 2, None), (3, None, "new")]
    assert (page.version, versioned.get(owner).version) == (1, 1)


def test_a_transaction_writes_nothing_where_one_condition_fails(table, versioned, owner):
    connection = table._get_connection().connection
    table(owner, 1, hits=1).save()
    versioned(owner, text="first").save()

    def write():
        with TransactWrite(connection=connection) as transaction:
            transaction.condition_check(table, owner, 9, condition=table.owner.exists())
            transaction.delete(table(owner, 2))
            transaction.save(table(owner, 3))
            transaction.save(versioned(owner, text="again"))
            transaction.update(
                table(owner, 1), [table.hits.add(1)], condition=table.hits == 2, return_values="ALL_OLD"
            )

    check, delete, save, again, update = cancelled(TransactWriteError, write)
    assert (delete, save) == (None, None)
    for reason in (check, again, update):
        assert (reason.code, reason.message) == ("ConditionalCheckFailed", FAILED[1])
    old = {"owner": {"S": owner}, "at": {"N": "1"}, "hits": {"N": "1"}}
    assert (check.raw_item, again.raw_item, update.raw_item) == (None, None, old)
    assert [(note.at, note.hits) for note in table.query(owner)] == [(1, 1)]
    assert versioned.get(owner).text == "first"


def test_a_transaction_may_not_touch_an_item_twice(table, owner):
    def write():
        with TransactWrite(connection=table._get_connection().connection) as transaction:
            transaction.save(table(owner, 1))
            transaction.update(table(owner, 1), [table.hits.add(1)])

    assert refused(TransactWriteError, write) == (
        "ValidationException",
        "Transaction request cannot include multiple operations on one item",
    )
    assert table.count(owner) == 0


def test_a_transaction_with_the_same_token_is_done_once(table, owner):
    token = str(uuid.uuid4())

    def write(by):
        with TransactWrite(connection=table._get_connection().connection, client_request_token=token) as transaction:
            transaction.update(table(owner, 1), [table.hits.add(by)])

    write(1)
    write(1)
    assert table.get(owner, 1).hits == 1
    assert refused(TransactWriteError, write, 2) == (
        "IdempotentParameterMismatchException",
        "The provided client token was used with a different request; please use a new client token for this request.",
    )
    assert table.get(owner, 1).hits == 1


def test_a_transaction_reads_what_is_there_at_one_moment(table, versioned, owner):
    table(owner, 1, title="first").save()
    versioned(owner, text="page").save()
    connection = table._get_connection().connection
    with TransactGet(connection=connection) as transaction:
        note = transaction.get(table, owner, 1)
        absent = transaction.get(table, owner, 2)
        page = transaction.get(versioned, owner)
    assert (note.get().title, page.get().text) == ("first", "page")
    with pytest.raises(table.DoesNotExist):
        absent.get()

    def twice():
        with TransactGet(connection=connection) as transaction:
            transaction.get(table, owner, 1)
            transaction.get(table, owner, 1)

    assert refused(TransactGetError, twice) == (
        "ValidationException",
        "Transaction request cannot include multiple operations on one item",
    )


def test_a_reader_may_read_and_may_not_write(homeport, table, user, owner):
    written(table, owner, 3)
    arn = table.describe_table()["TableArn"]
    actions = [f"dynamodb:{name}" for name in ("GetItem", "BatchGetItem", "Query", "DescribeTable")]
    name, key = user(actions, arn)
    theirs = notes(homeport, table.Meta.table_name, key)
    assert theirs.get(owner, 1).at == 1 and ats(theirs.query(owner)) == [0, 1, 2]
    assert sorted(ats(theirs.batch_get([(owner, 0), (owner, 2)]))) == [0, 2]

    def batch():
        with theirs.batch_write() as writes:
            writes.save(theirs(owner, 7))

    def transaction():
        with TransactWrite(connection=theirs._get_connection().connection) as writes:
            writes.save(theirs(owner, 7))

    account = arn.split(":")[4]
    for action, kind, call, where in (
        ("PutItem", PutError, theirs(owner, 7).save, arn),
        ("UpdateItem", UpdateError, lambda: theirs(owner, 1).update([theirs.hits.add(1)]), arn),
        ("DeleteItem", DeleteError, theirs(owner, 1).delete, arn),
        ("BatchWriteItem", PutError, batch, arn),
        ("PutItem", TransactWriteError, transaction, arn),
        ("Scan", ScanError, lambda: list(theirs.scan()), arn),
        ("Query", QueryError, lambda: list(theirs.by_color.query("red")), f"{arn}/index/by-color"),
        ("DeleteTable", TableError, theirs.delete_table, arn),
    ):
        assert refused(kind, call) == (
            "AccessDeniedException",
            f"User: arn:aws:iam::{account}:user/{name} is not authorized to perform: dynamodb:{action}"
            f" on resource: {where} because no identity-based policy allows the dynamodb:{action} action",
        ), action
    assert ats(table.query(owner)) == [0, 1, 2]


def test_a_stranger_is_not_let_in(homeport, own, table, owner):
    table(owner, 1).save()
    name = table.Meta.table_name
    assert notes(homeport, name, own).get(owner, 1).at == 1
    forged = notes(homeport, name, {**own, "SecretAccessKey": "x" * 40})
    assert refused(GetError, forged.get, owner, 1) == (
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key"
        " and signing method. Consult the service documentation for details.",
    )
    unknown = notes(homeport, name, {**own, "AccessKeyId": "AKIAIOSFODNN7EXAMPLE"})
    assert refused(GetError, unknown.get, owner, 1) == (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )
