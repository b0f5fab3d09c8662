"""A way to the database that is cut and stalls, above all in the midst of commits."""

import asyncio
import contextlib
import random
import socket
import threading

# Of commits, so many in a hundred are cut before they reach the database, and so many after, unheard; of what else is
# sent, so many in a thousand is the end of its connection, or waits.
CUT_BEFORE, CUT_AFTER, CUT_ELSEWHERE, STALL = 3, 3, 3, 2
LONGEST_STALL = 1.5
COMMIT = b"COMMIT"


class BadNetwork:
    """Forwards a free port to another; while it is `bad`, not all of it."""

    def __init__(self, port):
        self.target, self.bad = port, False
        self.forget()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.runs = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.forward_all()), daemon=True)

    def __enter__(self):
        self.thread.start()
        self.runs.wait()
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.ended.set)
        self.thread.join()

    def forget(self):
        """Counts anew how often it did what."""
        self.cuts = {"before": 0, "after": 0, "elsewhere": 0, "stalls": 0}

    async def forward_all(self):
        self.loop, self.ended = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self.serve, sock=self.listener)
        self.runs.set()
        await self.ended.wait()
        server.close()

    async def serve(self, reader, writer):
        with contextlib.suppress(OSError):
            theirs, ours = await asyncio.open_connection("127.0.0.1", self.target)
            ways = [self.forward(reader, ours, True), self.forward(theirs, writer, False)]
            tasks = [asyncio.create_task(way) for way in ways]
            # The first end of one way, or a cut, ends both.
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            ours.close()
        writer.close()

    async def forward(self, reader, writer, up):
        with contextlib.suppress(OSError):
            while block := await reader.read(65536):
                if self.bad and await self.harm(block, writer, up):
                    return
                writer.write(block)
                await writer.drain()

    async def harm(self, block, writer, up):
        """Whether this is the end of the connection."""
        if up and COMMIT in block:
            chance = random.uniform(0, 100)
            if chance < CUT_BEFORE:
                return self.cut("before")
            if chance < CUT_BEFORE + CUT_AFTER:
                writer.write(block)
                await writer.drain()
                # It arrives there; the answer doesn't arrive here.
                return self.cut("after")
            return False
        chance = random.uniform(0, 1000)
        if chance < CUT_ELSEWHERE:
            return self.cut("elsewhere")
        if chance < CUT_ELSEWHERE + STALL:
            self.cuts["stalls"] += 1
            await asyncio.sleep(random.uniform(0, LONGEST_STALL))
        return False

    def cut(self, where):
        self.cuts[where] += 1
        return True
