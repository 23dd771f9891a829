"""Rows of the table, and how what was seen is compared with what is expected."""
import os
import re
import time

from watchdog_helpers import Watchdog

CLASSIC, OF_WATCHDOG = "classic-watchdog", "of-watchdog"

# WATCHDOG=/path/to/a/foreign/one WATCHDOG_FAMILY=classic-watchdog|of-watchdog: only the rows of
# that family are run, and what they expect is what the reference does.
FOREIGN = os.environ.get("WATCHDOG_FAMILY")

vectors = []


class Vector:
    def __init__(self, number, name, family, play, reference, ours):
        self.number, self.name, self.family, self.play = number, name, family, play
        self.reference, self.ours = reference, {**reference, **(ours or {})}

    def __repr__(self):
        return f"{self.number} {self.name}"

    def expected(self):
        return self.reference if FOREIGN else self.ours


def vector(number, name, family, reference, ours=None):
    """Makes a row of a function that returns what it saw as a dict. Expectations are values or
    things with a fits(); ours names only what differs from the reference."""
    def add(play):
        vectors.append(Vector(number, name, family, play, reference, ours))
        return play
    return add


class Match:
    """A text that matches as a whole."""

    def __init__(self, pattern):
        self.pattern = pattern

    def fits(self, seen):
        return seen is not None and re.fullmatch(self.pattern, seen, re.S) is not None

    def __repr__(self):
        return f"/{self.pattern}/"


class About:
    """A time: not before it, and not much after it."""

    def __init__(self, seconds, slack=0.6):
        self.seconds, self.slack = seconds, slack

    def fits(self, seen):
        return self.seconds - 0.03 <= seen < self.seconds + self.slack

    def __repr__(self):
        return f"{self.seconds} s"


def differences(expected, seen):
    """[(what, expected, seen)]"""
    def fits(want, got):
        return want.fits(got) if hasattr(want, "fits") else want == got
    return [(key, want, seen.get(key)) for key, want in expected.items()
            if not fits(want, seen.get(key))]


def start(*args, **settings):
    """A watchdog; a foreign one serves its metrics on 8081, whatever one says."""
    wd = Watchdog(*args, **settings)
    if FOREIGN:
        wd.metrics_port = 8081
    return wd


def seen_of(response, **more):
    """What most rows look at."""
    return {"status": response.status, "type": response.headers.get("content-type"),
            "body": response.body, "duration": response.headers.get("x-duration-seconds"),
            "internal": response.headers.get("x-openfaas-internal"), **more}


def timed(work):
    began = time.monotonic()
    result = work()
    return result, time.monotonic() - began


def has_logged(wd, pattern, seconds=3):
    """True as soon as there is such a line."""
    try:
        wd.wait_for(lambda: re.search(pattern, wd.log), pattern, seconds)
        return True
    except AssertionError:
        return False
