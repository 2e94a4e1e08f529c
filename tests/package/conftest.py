"""The servers of the integration tests."""
from integration.conftest import *  # noqa: F401,F403 (fixtures)
