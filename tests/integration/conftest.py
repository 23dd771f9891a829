import signal

import pytest

from minnow import Gateway

# Whoever runs this in the background has them ignored, which our programs would inherit and keep.
for number in signal.SIGINT, signal.SIGQUIT, signal.SIGHUP:
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

# Needs what takes minutes to build, or root and container engines, so it runs only when it is named:
# make check-static, make check-images.
collect_ignore = ["test_static_build.py", "test_cli_docker.py", "test_images.py"]


@pytest.fixture(scope="module")
def gateway():
    """One gateway for a whole file of tests; each test deploys functions of its own."""
    g = Gateway()
    yield g
    g.close()


@pytest.fixture
def gateways():
    """Makes gateways that end with the test: gateways(setting=value)."""
    made = []

    def make(**settings):
        made.append(Gateway(**settings))
        return made[-1]

    yield make
    for g in made:
        g.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    # A skipped test is a failed test: what cannot run here was not tested.
    outcome = yield
    report = outcome.get_result()
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped: {report.longrepr}"
