from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tunnels.domain.proposals import IkeVersion
from tunnels.domain.rotation import (
    RotationFacts,
    RotationStage,
    check_rotatable,
    rotation_stage,
)

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
PROVEN: dict[str, Any] = {
    "now": NOW,
    "silent": False,
    "connected": True,
    "signs_with_previous": False,
    "both_keys_at": NOW - timedelta(minutes=5),
    "authenticated_at": NOW - timedelta(minutes=1),
}


@pytest.mark.parametrize(
    ("changed", "stage"),
    [
        ({}, RotationStage.SWITCHED),
        ({"silent": True}, RotationStage.SILENT),
        ({"both_keys_at": None}, RotationStage.APPLYING),
        ({"connected": False}, RotationStage.DOWN),
        ({"signs_with_previous": True}, RotationStage.OLD),
        ({"authenticated_at": None}, RotationStage.UNPROVEN),
        ({"authenticated_at": NOW - timedelta(minutes=6)}, RotationStage.UNPROVEN),
        # The device may still be about to refuse.
        ({"authenticated_at": NOW - timedelta(seconds=3)}, RotationStage.UNPROVEN),
    ],
)
def test_it_believes_only_what_was_proven(changed: dict[str, Any], stage: RotationStage) -> None:
    assert rotation_stage(RotationFacts(**(PROVEN | changed))) is stage


def test_it_refuses_ikev1_with_the_way_out() -> None:
    [finding] = check_rotatable(IkeVersion.V1)
    assert "Switch both ends to IKEv2" in finding.message
    assert check_rotatable(IkeVersion.V2) == []
