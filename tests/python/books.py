"""Load on several nodes, and what was acknowledged of it: each write must then be there, once."""

import collections
import itertools
import random
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError

TABLE, COUNTERS, THREADS = "books", 4, 6
# So many writes share one list.
PAGE = 50


class Books:
    """What was acknowledged, and what may have taken effect unheard."""

    def __init__(self):
        self.lock = threading.Lock()
        self.marks = itertools.count()
        self.acknowledged, self.unknown = set(), set()
        # By node, when it last acknowledged anything; and how long each refused call took, with what it was told.
        self.served, self.refused = {}, []

    def mark(self):
        return f"w{next(self.marks):07}"

    def counts(self):
        return f"{len(self.acknowledged)} acknowledged, {len(self.unknown)} unknown"


class Load:
    """Threads that write to nodes in turn until they are told to stop."""

    def __init__(self, nodes):
        self.books, self.nodes = Books(), nodes
        self.stopping, self.threads = threading.Event(), []
        keys = nodes[0].credentials()
        self.keys = keys["accessKeyId"], keys["secretAccessKey"]

    def prepare(self):
        self.client(self.nodes[0]).create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        return self

    def client(self, node):
        return node.client("dynamodb", *self.keys, read_timeout=30, connect_timeout=5)

    def start(self):
        self.threads = [threading.Thread(target=self.write) for _ in range(THREADS)]
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def write(self):
        clients = {node: self.client(node) for node in self.nodes}
        while not self.stopping.is_set():
            node = random.choice(self.nodes)
            work = random.choice([self.put, self.append, self.add])
            mark, began = self.books.mark(), time.monotonic()
            try:
                work(clients[node], mark)
            except (BotoCoreError, ClientError) as error:
                self.note_refused(f"{work.__name__}:{mark}", error, time.monotonic() - began)
                # As clients do, it waits before it asks again.
                time.sleep(0.02)
                continue
            with self.books.lock:
                self.books.acknowledged.add(f"{work.__name__}:{mark}")
                self.books.served[node] = time.monotonic()

    def note_refused(self, mark, error, seconds):
        told = isinstance(error, ClientError)
        answer = error.response["ResponseMetadata"]["HTTPStatusCode"] if told else type(error).__name__
        with self.books.lock:
            self.books.unknown.add(mark)
            self.books.refused.append((seconds, answer, str(error)))

    def put(self, client, mark):
        client.put_item(TableName=TABLE, Item={"id": {"S": mark}, "text": {"S": mark * 20}})

    def append(self, client, mark):
        """Writes its mark behind others: one that took effect twice would stand there twice."""
        client.update_item(
            TableName=TABLE,
            Key={"id": {"S": f"list-{int(mark[1:]) // PAGE}"}},
            UpdateExpression="SET marks = list_append(if_not_exists(marks, :none), :mark)",
            ExpressionAttributeValues={":none": {"L": []}, ":mark": {"L": [{"S": mark}]}},
        )

    def add(self, client, mark):
        client.update_item(
            TableName=TABLE,
            Key={"id": {"S": f"counter-{int(mark[1:]) % COUNTERS}"}},
            UpdateExpression="ADD tally :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )

    def check(self):
        """Fails unless every node shows all that was acknowledged, and nothing twice."""
        wrong = [refusal for refusal in self.books.refused if str(refusal[1]).startswith("4")]
        assert not wrong, wrong[0]
        for node in self.nodes:
            pages = self.client(node).get_paginator("scan").paginate(TableName=TABLE, ConsistentRead=True)
            compare(self.books, {item["id"]["S"]: item for page in pages for item in page["Items"]})


def compare(books, found):
    puts = {f"put:{key}" for key in found if key.startswith("w")}
    listed = collections.Counter()
    for key in found:
        if key.startswith("list-"):
            listed.update(f"append:{mark['S']}" for mark in found[key]["marks"]["L"])
    seen = puts | listed.keys()
    told = {mark for mark in books.acknowledged if not mark.startswith("add:")}
    assert not told - seen, f"{len(told - seen)} lost, such as {sorted(told - seen)[0]}"
    assert seen <= told | books.unknown, "what nobody wrote is there"
    twice = [mark for mark, times in listed.items() if times > 1]
    assert not twice, f"{len(twice)} were applied twice, such as {twice[0]}"
    for number in range(COUNTERS):
        ours = [mark for mark in books.acknowledged | books.unknown if counts(mark, number)]
        total = int(found.get(f"counter-{number}", {"tally": {"N": "0"}})["tally"]["N"])
        least = sum(mark in books.acknowledged for mark in ours)
        assert least <= total <= len(ours), f"counter {number} is {total}, not from {least} to {len(ours)}"


def counts(mark, number):
    kind, _, name = mark.partition(":")
    return kind == "add" and int(name[1:]) % COUNTERS == number
