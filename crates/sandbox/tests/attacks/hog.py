"""Takes memory a megabyte at a time, in a child, and holds it."""
import os
import time

if os.fork() == 0:
    held = []
    for _ in range(100):
        held.append(bytearray(os.urandom(1 << 20)))
        time.sleep(0.01)
    time.sleep(60)
os.wait()
