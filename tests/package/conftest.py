"""The servers of the integration tests, and a repository."""
import pytest

from integration.conftest import *  # noqa: F401,F403 (fixtures)
from package.repository import Repository


@pytest.fixture
def repository(folder):
    made = Repository(folder)
    yield made
    made.stop()
