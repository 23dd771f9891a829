"""Run by themselves (make check-templates), because the languages' tools are large."""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))

from cli_helpers import Cli  # noqa: E402
from minnow import Gateway  # noqa: E402


@pytest.fixture(scope="module")
def gateway():
    g = Gateway()
    yield g
    g.close()


@pytest.fixture(scope="session")
def go_cache(tmp_path_factory):
    """Go's standard library is compiled once, not for every test."""
    return os.environ.get("GOCACHE") or str(tmp_path_factory.mktemp("go"))


@pytest.fixture
def cli(tmp_path, gateway, go_cache):
    folder = tmp_path / "project"
    folder.mkdir()
    cli = Cli(str(folder), gateway.url)
    cli.env["GOCACHE"] = go_cache
    cli("login", "--password-stdin", stdin=gateway.password)
    return cli
