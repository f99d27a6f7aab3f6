"""The way through the four steps."""

from __future__ import annotations

import pytest

from tests.web.wizard.conftest import STEPS, Walk, text


@pytest.mark.parametrize("step", STEPS)
def test_it_shows_each_step(walk: Walk, step: str) -> None:
    response = walk.to(step)
    assert response.status_code == 200
    assert f'action="{walk.url(step)}"' in text(response)
