"""bench.py [gateway|async|watchdog|modes|start|cli]...: see run.sh."""
import os
import signal
import sys

import report


def main(names):
    suites = {"gateway": "suite_gateway", "async": "suite_async", "watchdog": "suite_watchdog",
              "modes": "suite_modes", "start": "suite_start", "cli": "suite_cli"}
    for name in names:
        if name not in suites:
            sys.exit(f"bench: unknown benchmark {name} ({', '.join(suites)})")
    # A polite end, so that everything that was started is ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.makedirs(report.OUT, exist_ok=True)
    if len(os.sched_getaffinity(0)) < 2:
        report.say("Only one CPU: the load shares it with what is measured, so trust nothing but CPU/request.")
    for name in names or suites:
        __import__(suites[name]).run()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
