"""The PostgreSQL of the tests: a cluster in VAR_DIR/test-postgres, kept between runs.

The process that runs pytest starts it and stops it; xdist's workers find it by the environment.
While one run uses the kept cluster, a second run makes its own and removes it at the end.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path
from typing import Any

import dj_database_url

from vpnconsole.env import environment, prepare_var_dir
from vpnconsole.postgres import FOR_TESTS, EmbeddedPostgres, embedded_database

# Tells the workers, and the commands that tests start, which cluster this run uses.
VARIABLE = "VPNCONSOLE_TEST_CLUSTER"


class Cluster:
    """The cluster of one test run, and the lock that keeps other runs away from it."""

    def __init__(self, var_dir: Path) -> None:
        prepare_var_dir(var_dir)
        self.data_dir = var_dir / "test-postgres"
        self._lock = (var_dir / "test-postgres.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._kept = True
        except BlockingIOError:
            self.data_dir = var_dir / f"test-postgres-{os.getpid()}"
            self._kept = False
        self._server = EmbeddedPostgres(self.data_dir, settings=FOR_TESTS)

    def start(self) -> None:
        """Start the server."""
        self._server.start()

    def stop(self) -> None:
        """Stop the server, and remove what will not be used again."""
        self._server.stop()
        if not self._kept:
            shutil.rmtree(self.data_dir)
            self._server.log.unlink(missing_ok=True)
        self._lock.close()


_cluster: Cluster | None = None


def start_cluster() -> None:
    """Start the run's cluster, unless a server was given or another process started one."""
    global _cluster
    if environment().database_url or VARIABLE in os.environ:
        return
    _cluster = Cluster(environment().var_dir)
    os.environ[VARIABLE] = str(_cluster.data_dir)
    _cluster.start()


def stop_cluster() -> None:
    """Stop what `start_cluster` started in this process."""
    global _cluster
    if _cluster is not None:
        _cluster.stop()
        _cluster = None
        del os.environ[VARIABLE]


def database_settings() -> dict[str, Any]:
    """Django's connection settings for the run's server, which is started when it is not yet."""
    if environment().database_url:
        return dict(dj_database_url.parse(environment().database_url))
    start_cluster()
    return embedded_database(Path(os.environ[VARIABLE]))
