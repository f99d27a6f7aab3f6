from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import axe, look
from tests.web.gallery import TEMPLATES

pytestmark = pytest.mark.urls("tests.web.gallery")


@pytest.fixture(autouse=True)
def _gallery(settings: Any) -> None:
    first, *others = settings.TEMPLATES
    settings.TEMPLATES = [{**first, "DIRS": [*first["DIRS"], TEMPLATES]}, *others]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read_by_everybody(operator: Page, theme: Any) -> None:
    operator.emulate_media(color_scheme=theme)
    operator.goto("/gallery/")
    look(operator, f"gallery-{theme}")
    assert axe(operator) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_its_dialog_can_be_read_by_everybody(operator: Page, theme: Any) -> None:
    operator.emulate_media(color_scheme=theme)
    operator.goto("/gallery/")
    operator.click("#open-form")
    operator.click("#dialog button[type=submit]")
    expect(operator.locator("#dialog .is-invalid").first).to_be_visible()
    look(operator, f"dialog-{theme}")
    assert axe(operator) == []


@pytest.mark.parametrize("width", [360, 3840])
def test_it_fits_every_screen(operator: Page, width: int) -> None:
    operator.set_viewport_size({"width": width, "height": 1600})
    operator.goto("/gallery/")
    look(operator, f"gallery-{width}")
    assert operator.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(operator) == []
