"""SIGHUP under load loses nothing and counts nothing twice."""
import os
import time

import pytest

from servers.process import wait_until
from servers.wiring import to_statsd

RELOADS = int(os.environ.get("OB_RELOADS", 20))


@pytest.mark.slow
def test_reloads_under_load(mariadb, otter, carbon, statsd, both, make_agent):
    agent = make_agent(mariadb, both).start()
    managers = otter.run("--seconds", RELOADS, "--speed", 20, "--writers", 4, "--hold", 2, "--rate", 200)
    for i in range(RELOADS):
        time.sleep(0.7)
        agent.write(drain=5 + i % 2)  # a different config each time
        agent.reload()
        agent.wait_for_log("event=reloaded", times=i + 1)
    assert managers.wait(RELOADS + 60) == 0, managers.log()
    wanted = otter.sums()
    carbon.wait_for(wanted, 60)
    statsd.wait_for(wanted, 60)
    assert agent.stop() == 0
    assert "event=in_doubt" not in agent.log()


def test_the_log_can_be_made_quieter_and_back(mariadb, otter, statsd, make_agent):
    agent = make_agent(mariadb, [to_statsd(statsd)]).start()
    agent.write(log_level="error")
    agent.reload()
    agent.wait_for_log("event=account")
    time.sleep(2)
    assert agent.log().count("event=started") == 1 and "event=reloaded" not in agent.log(), "they are no errors"
    agent.write(log_level="info")
    agent.reload()
    agent.wait_for_log("event=reloaded")
    assert agent.log().count("event=started") == 2


def test_the_log_comes_back_to_standard_error(mariadb, otter, statsd, make_agent):
    agent = make_agent(mariadb, [to_statsd(statsd)]).start()
    for file, name, times in ((agent.folder / "other.log", "other.log", 0), (agent.process.log_path, "", 1)):
        agent.write(log_file=name)
        agent.reload()
        wait_until(lambda f=file: f.exists() and "event=reloaded" in f.read_text(), f"{file} has it")
        assert agent.log().count("event=reloaded") == times
