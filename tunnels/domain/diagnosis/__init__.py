"""Why a tunnel is not up: from charon's lines and what is configured, one cause with its evidence and advice.

`diagnose(lines, configured, observed)` is all that others need. The wording of charon's lines is that of 5.9.8, at log
level 1; level 2 adds detail but is not needed.
"""

from __future__ import annotations

from tunnels.domain.diagnosis.judge import diagnose
from tunnels.domain.diagnosis.model import (
    Code,
    Configured,
    Diagnosis,
    LogEntry,
    Observed,
    Step,
)

__all__ = ["Code", "Configured", "Diagnosis", "LogEntry", "Observed", "Step", "diagnose"]
