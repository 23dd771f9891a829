"""The templates whose languages every test machine has. The others: tests/templates."""

import pytest

from cli_helpers import Cli
from template_helpers import build, check_end, check_many_at_once, check_requests


@pytest.fixture
def cli(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return Cli(str(folder), "http://127.0.0.1:1")


@pytest.mark.parametrize("lang", ["python3-http"])
def test_a_server_answers_whatever_it_is_asked_and_ends_well(cli, lang):
    server = build(cli, lang)
    try:
        check_requests(server)
        check_many_at_once(server)
        check_end(server)
    finally:
        server.close()
