"""Programs that write logs, for the scenarios: run as `load.py KIND PATH WRITER FIRST COUNT`.

They write the lines `line WRITER N` for COUNT numbers from FIRST, each with a call of its own:

    reopen   opens the file again when the path leads to another file, or to none
    signal   opens the file again at SIGHUP
    append   never opens it again
    stale    the same, without O_APPEND
    size, timed, watched   Python's RotatingFileHandler, TimedRotatingFileHandler, WatchedFileHandler
"""

import logging
import logging.handlers
import os
import signal
import sys
import time

BURST = 50  # lines, then a moment for the others
APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def moments(numbers):
    for n in numbers:
        if n % BURST == 0:
            time.sleep(0.001)
        yield n


def plain(path, writer, numbers, flags):
    fd = os.open(path, flags, 0o644)
    for n in moments(numbers):
        os.write(fd, b"line %s %d\n" % (writer, n))


def reopen(path, writer, numbers):
    fd, have = -1, None
    for n in moments(numbers):
        try:
            there = os.stat(path)
        except FileNotFoundError:
            there = None
        if have is None or there is None or (there.st_dev, there.st_ino) != have:
            if fd != -1:
                os.close(fd)
            fd = os.open(path, APPEND, 0o644)
            opened = os.fstat(fd)
            have = opened.st_dev, opened.st_ino
        os.write(fd, b"line %s %d\n" % (writer, n))
    os.close(fd)


def reopen_at_signal(path, writer, numbers):
    asked = []
    signal.signal(signal.SIGHUP, lambda *_: asked.append(1))
    fd = os.open(path, APPEND, 0o644)
    for n in moments(numbers):
        if asked:
            asked.clear()
            os.close(fd)
            fd = os.open(path, APPEND, 0o644)
        os.write(fd, b"line %s %d\n" % (writer, n))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # or one that comes now would kill


def handler(path, writer, numbers, make):
    log = logging.getLogger("app")
    log.setLevel(logging.INFO)
    log.addHandler(make(path))
    for n in moments(numbers):
        log.info("line %s %d", writer.decode(), n)
    logging.shutdown()


def timed(path, writer, numbers):
    """Two rotations by the clock."""
    numbers = list(numbers)
    made = logging.handlers.TimedRotatingFileHandler(path, when="S", interval=1)
    log = logging.getLogger("app")
    log.setLevel(logging.INFO)
    log.addHandler(made)
    part = len(numbers) // 3 + 1
    for start in range(0, len(numbers), part):
        if start > 0:
            while not made.shouldRollover(None):
                time.sleep(0.01)
        for n in numbers[start:start + part]:
            log.info("line %s %d", writer.decode(), n)
    logging.shutdown()


KINDS = {
    "reopen": reopen,
    "signal": reopen_at_signal,
    "append": lambda *a: plain(*a, APPEND),
    "stale": lambda *a: plain(*a, os.O_WRONLY | os.O_CREAT),
    "size": lambda *a: handler(*a, lambda path: logging.handlers.RotatingFileHandler(path, maxBytes=20000, backupCount=100)),
    "timed": timed,
    "watched": lambda *a: handler(*a, logging.handlers.WatchedFileHandler),
}

if __name__ == "__main__":
    KIND, PATH, WRITER, FIRST, COUNT = sys.argv[1:]
    KINDS[KIND](PATH, WRITER.encode(), range(int(FIRST), int(FIRST) + int(COUNT)))
