"""Sixteen clients write conditionally and in transactions to one table; some order must explain all they saw, also
when the server is killed or its power cut in the midst."""

import os
import random
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from test_crash import CutOff, library  # noqa: F401  (a fixture)

from histories import Broken, History, check

CLIENTS = 16
ITEMS = [f"item-{number}" for number in range(6)]
STEPS = 400 if "PROVE" in os.environ else 40
ROUNDS = 20 if "PROVE" in os.environ else 2


class Clients:
    """Threads that append to a few lists, and write down what they did and saw."""

    def __init__(self, server, history, table="lists"):
        self.server, self.history, self.table = server, history, table
        own = server.credentials()
        self.keys = own["accessKeyId"], own["secretAccessKey"]
        self.dying = threading.Event()
        self.wrong = []

    def client(self):
        return self.server.client("dynamodb", *self.keys)

    def prepare(self):
        tables = self.client()
        tables.create_table(
            TableName=self.table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for item in ITEMS:
            tables.put_item(TableName=self.table, Item={"id": {"S": item}, "l": {"L": []}})

    def run(self, steps, while_running=lambda: None):
        threads = [threading.Thread(target=self.work, args=(random.Random(n), steps)) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        while_running()
        for thread in threads:
            thread.join()
        assert not self.wrong, self.wrong[0]

    def work(self, chance, steps):
        client = self.client()
        for _ in range(steps):
            step = chance.choice([self.append, self.append_expecting, self.transact, self.transact, self.read, self.read_all])
            try:
                step(client, chance)
            except (BotoCoreError, ClientError) as error:
                if not self.dying.is_set():
                    self.wrong.append(f"{step.__name__}: {error}")
                return

    def update(self, item, value, expected=None):
        update = {
            "TableName": self.table,
            "Key": {"id": {"S": item}},
            "UpdateExpression": "SET l = list_append(l, :v)",
            "ExpressionAttributeValues": {":v": {"L": [{"S": value}]}},
        }
        if expected is not None:
            update["ConditionExpression"] = "size(l) = :n"
            update["ExpressionAttributeValues"][":n"] = {"N": str(expected)}
        return update

    def append(self, client, chance):
        item = chance.choice(ITEMS)
        transaction = self.history.begin([item])
        answer = client.update_item(**self.update(item, transaction.appends[item]), ReturnValues="ALL_OLD")
        self.history.took_effect(transaction, {item: values(answer["Attributes"])})

    def append_expecting(self, client, chance):
        """An append that holds only if nobody came between; when somebody did, what there is is a read."""
        item = chance.choice(ITEMS)
        found = self.read_one(client, item)
        transaction = self.history.begin([item])
        update = self.update(item, transaction.appends[item], len(found))
        try:
            client.update_item(**update, ReturnValuesOnConditionCheckFailure="ALL_OLD")
        except client.exceptions.ConditionalCheckFailedException as refused:
            self.history.was_refused(transaction, {item: values(refused.response["Item"])})
        else:
            self.history.took_effect(transaction, {item: found})

    def transact(self, client, chance):
        """Appends to two items if they, or a third, are as they were read, all in one."""
        one, two, third = chance.sample(ITEMS, 3)
        found = {item: self.read_one(client, item) for item in chance.sample([one, two, third], chance.randint(0, 2))}
        transaction = self.history.begin([one, two])
        writes = [
            {"Update": self.update(item, transaction.appends[item], len(found[item]) if item in found else None)}
            for item in (one, two)
        ]
        if third in found:
            seen = {":n": {"N": str(len(found[third]))}}
            key = {"id": {"S": third}}
            writes.append(
                {
                    "ConditionCheck": {
                        "TableName": self.table,
                        "Key": key,
                        "ConditionExpression": "size(l) = :n",
                        "ExpressionAttributeValues": seen,
                    }
                }
            )
        try:
            client.transact_write_items(TransactItems=writes)
        except client.exceptions.TransactionCanceledException:
            self.history.was_refused(transaction)
        else:
            self.history.took_effect(transaction, found)

    def read_one(self, client, item):
        transaction = self.history.begin()
        answer = client.get_item(TableName=self.table, Key={"id": {"S": item}}, ConsistentRead=True)
        self.history.took_effect(transaction, {item: values(answer["Item"])})
        return values(answer["Item"])

    def read(self, client, chance):
        self.read_one(client, chance.choice(ITEMS))

    def read_all(self, client, chance):
        transaction = self.history.begin()
        gets = [{"Get": {"TableName": self.table, "Key": {"id": {"S": item}}}} for item in ITEMS]
        answer = client.transact_get_items(TransactItems=gets)
        self.history.took_effect(
            transaction, {item: values(found["Item"]) for item, found in zip(ITEMS, answer["Responses"])}
        )

    def final(self):
        client = self.client()
        pages = client.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        return {item["id"]["S"]: values(item) for page in pages for item in page["Items"]}


def values(item):
    return [value["S"] for value in item["l"]["L"]]


def test_some_order_explains_what_all_clients_saw(homeport):
    clients = Clients(homeport, History(time.monotonic), table=f"lists-{time.monotonic_ns()}")
    clients.prepare()
    clients.run(STEPS)
    check(clients.history, clients.final())
    applied = [it for it in clients.history.transactions if it.appends]
    refused = [it for it in clients.history.transactions if it.failed]
    assert len(applied) > CLIENTS and refused, "the clients did not meet"


def test_some_order_explains_what_was_seen_before_and_behind_kills(fresh):
    server = fresh()
    clients = Clients(server, History(time.monotonic))
    clients.prepare()
    for round_ in range(ROUNDS):
        clients.dying.clear()
        clients.run(1_000_000, lambda: die(clients, server.kill, 0.5 + round_ % 4 * 0.3))
        server.start()
        check(clients.history, clients.final())


def test_some_order_explains_what_was_seen_before_and_behind_a_power_cut(tmp_path, library):  # noqa: F811
    for round_ in range(ROUNDS):
        cut = CutOff(tmp_path / str(round_), library)
        cut.server.pool = cut.server.app = None
        try:
            server = cut.start()
            clients = Clients(server, History(time.monotonic))
            clients.prepare()
            clients.run(1_000_000, lambda: die(clients, server.kill, 0.5 + random.random()))
        finally:
            cut.server.stop()
        left = cut.left()
        try:
            left.start()
            # The lists were made before the load began, so they too were acknowledged.
            after = Clients(left, clients.history)
            check(clients.history, after.final())
        finally:
            left.stop()


def die(clients, kill, seconds):
    time.sleep(seconds)
    clients.dying.set()
    kill()


def history_of(*steps):
    """A history of (appends, reads) one behind another."""
    moments = iter(range(1_000))
    history = History(lambda: next(moments))
    for appends, reads in steps:
        transaction = history.begin()
        transaction.appends = appends
        history.took_effect(transaction, reads)
    return history


def at_once(history):
    for transaction in history.transactions:
        transaction.began, transaction.ended = 0, 10
    return history


def test_a_checker_that_is_shown_what_cannot_be_says_so():
    good = history_of(({"a": "1"}, {"a": []}), ({"a": "2"}, {"a": ["1"]}), ({}, {"a": ["1", "2"]}))
    check(good, {"a": ["1", "2"]})
    with pytest.raises(Broken, match="is not in"):
        check(good, {"a": ["1"]})
    with pytest.raises(Broken, match="was read as"):
        check(good, {"a": ["2", "1"]})
    stale = history_of(({"a": "1"}, {"a": []}), ({}, {"a": []}))
    with pytest.raises(Broken, match="no order explains"):
        check(stale, {"a": ["1"]})
    check(at_once(stale), {"a": ["1"]})
    # Two that each read what the other wrote over: write skew.
    skew = at_once(history_of(({"a": "1"}, {"b": []}), ({"b": "2"}, {"a": []})))
    with pytest.raises(Broken, match="no order explains"):
        check(skew, {"a": ["1"], "b": ["2"]})
    half = history_of(({"a": "1", "b": "2"}, {}))
    half.transactions[0].ended = None
    with pytest.raises(Broken, match="half of a transaction"):
        check(half, {"a": ["1"], "b": []})
    check(half, {"a": [], "b": []})
    check(half, {"a": ["1"], "b": ["2"]})
    refused = history_of(({"a": "1"}, {}))
    refused.was_refused(refused.transactions[0])
    with pytest.raises(Broken, match="refused or never sent"):
        check(refused, {"a": ["1"]})
