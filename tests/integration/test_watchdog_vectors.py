"""The acceptance vectors of the watchdogs, see watchdog_vectors/.

Any binary can be put through them; one that is not ours is told by its family, and compared with
what was observed of that. Run as a program this prints how the binary differs from ours:

    WATCHDOG=/path/to/of-watchdog WATCHDOG_FAMILY=of-watchdog \
        python3 tests/integration/test_watchdog_vectors.py"""
import sys

import pytest

from watchdog_vectors import classic, forks, http, life  # noqa: F401: they fill the table
from watchdog_vectors.table import FOREIGN, differences, vectors

rows = [v for v in vectors if FOREIGN in (None, v.family)]


@pytest.mark.parametrize("row", rows, ids=repr)
def test_vector(row):
    seen = row.play()
    assert not differences(row.expected(), seen), seen


def main():
    """Exit status 1: there is a difference that the table does not know of."""
    unknown = 0
    for row in rows:
        try:
            seen = row.play()
        except Exception as e:
            print(f"{row}: {type(e).__name__}: {e}")
            unknown += 1
            continue
        for what, ours, theirs in differences(row.ours, seen):
            print(f"{row}: {what}: ours {ours!r}, this one {theirs!r}")
        for what, want, got in differences(row.expected(), seen):
            print(f"{row}: {what}: the table says {want!r}, seen {got!r}")
            unknown += 1
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
