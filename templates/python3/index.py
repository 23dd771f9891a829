"""Runs the handler once: the request comes on standard input, the answer goes to standard output."""

import json
import os
import sys

# Packages from requirements.txt; behind our own folder, so that none of them can hide the handler.
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "packages"))

from function import handler  # noqa: E402


def encode(answer):
    if answer is None:
        return b""
    if isinstance(answer, (bytes, bytearray, memoryview)):
        return bytes(answer)
    if isinstance(answer, str):
        return answer.encode("utf-8", "surrogateescape")
    return json.dumps(answer, ensure_ascii=False).encode("utf-8")


def main():
    # surrogateescape lets a body that is no UTF-8 pass through a handler unharmed
    request = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    answer = encode(handler.handle(request))
    sys.stdout.flush()
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
