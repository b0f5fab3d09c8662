"""A balancer: each request goes to the next of several nodes, as each connection is closed after one answer.

    balancer.py PORT NODE_PORT…

What is no HTTP/1.1 (TLS, HTTP/2) goes through as it is, connection by connection. It ends with its standard input.
"""

import asyncio
import contextlib
import itertools
import re
import sys

LONGEST_HEAD = 128 * 1024
# How long a client may go on sending after its answer: an end before that would be a reset, which may swallow it.
LINGERS = 2
CONNECTION = re.compile(rb"\r\nconnection:[^\r\n]*", re.IGNORECASE)


async def head_of(reader):
    """The first request's head, or what came instead of one."""
    came = b""
    while b"\r\n\r\n" not in came and len(came) < LONGEST_HEAD:
        more = await reader.read(65536)
        came += more
        if not more or came[:1] == b"\x16" or came[:3] == b"PRI":
            break
    return came


def for_one_answer(came):
    """The same request, saying that no other follows."""
    head, end, rest = came.partition(b"\r\n\r\n")
    if not end or came[:1] == b"\x16" or came[:3] == b"PRI":
        return came
    return CONNECTION.sub(b"", head) + b"\r\nconnection: close" + end + rest


async def pump(reader, writer):
    with contextlib.suppress(ConnectionError):
        while block := await reader.read(65536):
            writer.write(block)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


class Balancer:
    def __init__(self, ports):
        self.ports, self.turn = ports, itertools.count()

    async def node(self):
        """A connection to the next node that takes one."""
        first = next(self.turn)
        for port in (self.ports[(first + n) % len(self.ports)] for n in range(len(self.ports))):
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        raise ConnectionError("no node takes connections")

    async def serve(self, reader, writer):
        node_writer = None
        try:
            came = await head_of(reader)
            if not came:
                return
            node_reader, node_writer = await self.node()
            node_writer.write(for_one_answer(came))
            up = asyncio.create_task(pump(reader, node_writer))
            await pump(node_reader, writer)
            await asyncio.wait([up], timeout=LINGERS)
            up.cancel()
        except ConnectionError:
            pass
        finally:
            for one in filter(None, (writer, node_writer)):
                one.close()


async def main(port, *nodes):
    balancer = Balancer(nodes)
    server = await asyncio.start_server(balancer.serve, "127.0.0.1", port, backlog=1024)
    async with server:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    # Who waits for answers may be gone when all ends: nobody needs to hear of that.
    asyncio.run(main(*map(int, sys.argv[1:])))
