"""The memory is never written to disk: there is no core file, whatever the limits are."""
import resource
import signal

import pytest

from servers.process import Process
from servers.wiring import to_statsd


def abort(process):
    process.send(signal.SIGABRT)
    assert process.wait() == -signal.SIGABRT


@pytest.fixture
def cores():
    """Sets the limits so that a child could write a core file."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


def test_no_core_is_dumped(mariadb, statsd, make_agent, folder, cores):
    place = folder / "other"
    place.mkdir()
    other = Process("other", place, ["sleep", "60"]).start()
    abort(other)
    if not list(place.glob("core*")):
        pytest.skip("this machine's cores go elsewhere: see kernel.core_pattern")
    agent = make_agent(mariadb, [to_statsd(statsd)]).start()
    abort(agent.process)
    assert not list(agent.folder.glob("core*"))
