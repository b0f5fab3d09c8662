"""Histories of lists that are only ever appended to, and whether some order of their transactions explains them.

Every value is appended once, so the list at the end tells in which order an item's writes took effect, and what a
reader saw is a number of its first values. From that follow the edges of a graph over transactions (Adya; the checker
Elle does the same): who wrote behind whom, who read whose write, whose write came behind a read; and, since answers
are awaited, whose answer was there before whose request was sent. An order of all exists if no edges go in a circle.
"""

import collections
import itertools
import threading


class Transaction:
    """What a client asked for, and what it was told."""

    def __init__(self, appends=(), began=0.0):
        self.appends = dict(appends)  # item -> value
        self.reads = {}  # item -> the values that were there before its own append
        self.began = began
        self.ended = None  # none while it is not known whether it took effect
        self.failed = False

    def __repr__(self):
        return f"appends {self.appends}, read {({item: len(seen) for item, seen in self.reads.items()})}"


class History:
    """What all clients did, written down as it happens."""

    def __init__(self, clock):
        self.clock = clock
        self.transactions = []
        self.lock = threading.Lock()
        self.values = itertools.count(1)

    def begin(self, items=()):
        with self.lock:
            transaction = Transaction({item: str(next(self.values)) for item in items}, self.clock())
            self.transactions.append(transaction)
        return transaction

    def took_effect(self, transaction, reads):
        transaction.reads = {item: list(seen) for item, seen in reads.items()}
        transaction.ended = self.clock()

    def was_refused(self, transaction, reads=None):
        """It wrote nothing; what it was shown is a read all the same."""
        transaction.failed = True
        transaction.appends = {}
        self.took_effect(transaction, reads or {})


class Broken(AssertionError):
    """No order of the transactions explains what was seen."""


def check(history, final):
    """Raises unless one order explains all, and all that was acknowledged is in `final` (item -> values)."""
    transactions = [it for it in history.transactions if took_part(it, final)]
    writer = {}
    for transaction in transactions:
        for item, value in transaction.appends.items():
            if value not in final.get(item, []):
                raise Broken(f"{value} is not in {item}: {transaction}")
            writer[item, value] = transaction
    for item, values in final.items():
        if len(set(values)) != len(values):
            raise Broken(f"{item} has a value twice")
        for value in values:
            if (item, value) not in writer:
                raise Broken(f"{item} has {value}, which was refused or never sent")
    edges = collections.defaultdict(set)
    for item, values in final.items():
        for earlier, later in zip(values, values[1:]):
            edge(edges, writer[item, earlier], writer[item, later])
    for transaction in transactions:
        for item, seen in transaction.reads.items():
            values = final.get(item, [])
            if seen != values[: len(seen)]:
                raise Broken(f"{item} was read as {seen}, and is {values[: len(seen)]}: {transaction}")
            if seen:
                edge(edges, writer[item, seen[-1]], transaction)
            if len(seen) < len(values):
                edge(edges, transaction, writer[item, values[len(seen)]])
    in_time(transactions, edges)
    circle = find_circle(transactions, edges)
    if circle:
        raise Broken("no order explains: " + " -> ".join(map(repr, circle)))


def took_part(transaction, final):
    """Of one whose answer was lost: whether its writes are there, all of them or none."""
    if transaction.ended is not None:
        return True
    there = [value in final.get(item, []) for item, value in transaction.appends.items()]
    if any(there) and not all(there):
        raise Broken(f"half of a transaction is there: {transaction}")
    return bool(there) and all(there)


def edge(edges, before, behind):
    if before is not behind:
        edges[id(before)].add(id(behind))


def in_time(transactions, edges):
    """Edges by time, through one node for each moment, so that there are few of them."""
    moments = [(it.began, 1, it) for it in transactions]
    moments += [(it.ended, 0, it) for it in transactions if it.ended is not None]
    last = None
    for at, begins, transaction in sorted(moments, key=lambda moment: moment[:2]):
        if begins:
            if last is not None:
                edges[last].add(id(transaction))
        else:
            node = ("time", at, id(transaction))
            edges[id(transaction)].add(node)
            if last is not None:
                edges[last].add(node)
            last = node


def find_circle(transactions, edges):
    """The transactions of a circle, if there is one; by walking in depth without recursion."""
    by_id = {id(it): it for it in transactions}
    done, path, on_path = set(), [], set()
    for start in by_id:
        if start in done:
            continue
        stack = [(start, iter(edges.get(start, ())))]
        path.append(start)
        on_path.add(start)
        while stack:
            node, behind = stack[-1]
            following = next((it for it in behind if it not in done), None)
            if following is None:
                stack.pop()
                path.pop()
                on_path.discard(node)
                done.add(node)
            elif following in on_path:
                return [by_id[it] for it in path[path.index(following) :] if it in by_id]
            else:
                stack.append((following, iter(edges.get(following, ()))))
                path.append(following)
                on_path.add(following)
    return None
