"""Forks until it can't, in sessions of their own, and stays."""
import os
import time

for _ in range(3000):
    try:
        if os.fork() == 0:
            os.setsid()
            time.sleep(120)
            os._exit(0)
    except OSError:
        break
time.sleep(120)
