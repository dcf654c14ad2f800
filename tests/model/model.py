"""Random sequences of what happens to logs and daemon, held against a model of what must be counted.

    model.py [--sequences N] [--first SEED] [--jobs N]
    model.py --seed SEED [--repeat N]

Each sequence writes to one to three paths, rotates them in every way, stops,
kills and restarts the daemon, and scrapes.  Every line must be counted once;
no counter may ever go backwards.  The last line is "N passed, N failed".
"""

import argparse
import functools
import multiprocessing
import os
import sys
import time
import traceback

from process import Failure
from sequence import Sequence


enough = multiprocessing.Event()


def play(seed, without):
    """(seed, None or a report, what was lost by right); None when enough have failed."""
    if enough.is_set():
        return None
    sequence = Sequence(seed, without)
    try:
        sequence.run()
        return seed, None, sequence.result
    except Failure as failure:
        told = [f"seed {seed}: {failure}"] + sequence.story
        if failure.__cause__ is not None:
            told += traceback.format_exception(failure.__cause__)
        if os.path.exists(sequence.daemon_log):
            with open(sequence.daemon_log, errors="replace") as log:
                lines = [line for line in log.read().splitlines() if "http request" not in line]
            told += ["the daemon's log:"] + lines[-60:]
        return seed, "\n".join(told + [f"kept: {sequence.top}", f"again: {sys.argv[0]} --seed {seed}"]), None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequences", type=int, default=300)
    parser.add_argument("--first", type=int, default=1, help="seed of the first one")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1), help="sequences at a time")
    parser.add_argument("--seed", type=int, help="this sequence only")
    parser.add_argument("--repeat", type=int, default=1, help="of --seed: times differ")
    parser.add_argument("--without", type=lambda text: text.split(","), default=(),
                        help="steps to leave out, with commas (of Sequence.STEPS), or death: of the daemon")
    parser.add_argument("--failures", type=int, default=5, help="after so many it ends")
    options = parser.parse_args()
    seeds = [options.seed] * options.repeat if options.seed is not None else range(options.first, options.first + options.sequences)
    began, passed, failed, lost, told = time.monotonic(), 0, [], 0, 0
    with multiprocessing.Pool(min(options.jobs, len(seeds)), maxtasksperchild=50) as pool:
        for played in pool.imap_unordered(functools.partial(play, without=options.without), seeds):
            if played is None:
                continue
            seed, report, result = played
            if report is None:
                passed += 1
                lost += result[0]
                told += result[1]
                continue
            failed.append(seed)
            print(report + "\n", flush=True)
            if len(failed) >= options.failures:
                enough.set()
    print(f"{time.monotonic() - began:.0f} s; lost as allowed: {lost} bytes, {told:.0f} of them told"
          + (f"; failed: {' '.join(map(str, sorted(set(failed))))}" if failed else ""))
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
