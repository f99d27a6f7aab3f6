"""How gunicorn serves the console: loaded once, then forked, so that the workers share memory."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING

from vpnconsole.env import environment

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

_env = environment()

bind = _env.listen
wsgi_app = "vpnconsole.wsgi:application"
workers = _env.web_workers
worker_class = "gthread"
threads = 4
preload_app = True
timeout = 60
graceful_timeout = 10
# A worker's sign of life is a file; on a disk, a busy disk would look like a dead worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
control_socket_disable = True
loglevel = "warning"


def when_ready(server: Arbiter) -> None:
    """Before the workers are forked: load what the first request would, and leave it to no collector.

    What is frozen is never moved between generations, so its pages stay shared by all workers.
    """
    from django.urls import get_resolver

    get_resolver().url_patterns  # noqa: B018 (loads every view)
    gc.collect()
    gc.freeze()


def post_worker_init(worker: Worker) -> None:
    """In each worker: see to it, beside the requests, that old telemetry goes."""
    from vpnconsole.upkeep import start_upkeep

    start_upkeep()
