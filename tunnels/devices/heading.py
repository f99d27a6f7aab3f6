"""The comment at the top of a device file: what it is, how it is loaded, checked and removed again."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from tunnels.devices.base import PSK_PLACEHOLDER, Order
from tunnels.devices.viewpoint import Viewpoint, customer_viewpoint

_WIDTH = 92
# A comment is typed at some devices' prompts: there `?` asks for help, and a backslash joins the next line.
_UNSAFE = re.compile(r"[^A-Za-z0-9 ._:@/+,()=-]")


def plain(text: str) -> str:
    """The text for a comment of any device: everything that could mean something to one becomes `_`."""
    return _UNSAFE.sub("_", text)


def heading(
    order: Order,
    *,
    before: Iterable[str] = (),
    load: Iterable[str],
    verify: Iterable[str],
    around: Iterable[str] = (),
    remove: Iterable[str],
) -> tuple[str, ...]:
    """The lines of the comment, without the device's comment mark.

    `before`, `around`: sentences, each a list item. `load`, `verify`, `remove`: commands or sentences. They are wrapped
    when they are long; in all of them, what follows a line break is a command and stays whole. The key's place, the
    warnings, the pairs to ping and the health check are added here.
    """
    spec, view = order.spec, customer_viewpoint(order.spec)
    platform = order.platform
    lines = [
        f"{platform.vendor} {platform.name} for tunnel {plain(spec.name)} ({spec.id})",
        "",
        f"Written:     {order.now:%Y-%m-%d %H:%M} UTC by VPN Console {plain(order.console_version)}",
        f"For version: {order.version}",
        f"This device: {plain(view.device.name)}, {view.device.address}",
        f"VPN gateway: {plain(view.gateway.name)}, {view.gateway.address}",
        "",
        "Before you load it:",
        *_items([_key(order), *order.losses, *before]),
        "",
        "Load it:",
        *_steps(load),
        "",
        "See whether it came up:",
        *_steps(verify),
        *_pings(view),
    ]
    around = [*around, *_health(view)]
    if around:
        lines += ["", "Around it:", *_items(around)]
    lines += ["", "Remove it:", *_steps(remove)]
    return tuple(lines)


def commented(lines: Iterable[str], mark: str) -> tuple[str, ...]:
    """The lines as comments; no line ends in a blank."""
    return tuple(f"{mark} {line}".rstrip() for line in lines)


def _key(order: Order) -> str:
    if order.redacted:
        return f"Put the pre-shared key in the place of {PSK_PLACEHOLDER}."
    if len(order.platform.parts) > 1:
        return "One of these files holds the pre-shared key: keep them away from others."
    return "This file holds the pre-shared key: keep it away from others."


def _pings(view: Viewpoint) -> Iterator[str]:
    yield from _wrapped("A ping passes in both directions between the ranges of each pair:", "  ")
    for pair in view.pairs:
        yield f"    {pair.number}: {pair.local} and {pair.remote} ({pair.origin})"


def _health(view: Viewpoint) -> Iterator[str]:
    if view.probe:
        asked, asking = view.probe
        yield f"Health check: the VPN gateway pings {asked} from {asking}. This device must own {asked} and answer."


def _items(sentences: Iterable[str]) -> Iterator[str]:
    for sentence in sentences:
        text, *commands = sentence.split("\n")
        first, *others = _wrapped(text, "")
        yield f"  - {first}"
        yield from (f"    {line}" for line in others)
        yield from (f"      {command}" for command in commands)


def _steps(steps: Iterable[str]) -> Iterator[str]:
    for step in steps:
        text, *commands = step.split("\n")
        yield from _wrapped(text, "  ")
        yield from (f"    {command}" for command in commands)


def _wrapped(text: str, indent: str) -> list[str]:
    lines = textwrap.wrap(text, width=_WIDTH, break_long_words=False, break_on_hyphens=False)
    return [f"{indent}{line}" for line in lines]
