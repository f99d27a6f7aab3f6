from __future__ import annotations

import base64
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.builders import a_tunnel_spec
from tests.devices.cases import CASES, CONSOLE_VERSION, NOW, SHANGHAI, render_case
from tests.devices.goldens import carried
from tunnels.devices.base import PSK_PLACEHOLDER, Order, Part, Platform, Rendering, render
from tunnels.devices.registry import PLATFORMS, find_platform, vendors
from tunnels.domain.findings import Finding, RuleError
from tunnels.domain.secret import check_psk
from tunnels.domain.spec import TunnelSpec

every_platform = pytest.mark.parametrize(
    "platform", PLATFORMS.values(), ids=lambda platform: platform.id
)
every_case = pytest.mark.parametrize("case", CASES)


def rendered(platform: Platform, case: str, *, redacted: bool = False) -> Rendering:
    """The files of the case; a test of a case that the device refuses is skipped, its golden holds the refusal."""
    try:
        return render_case(platform, CASES[case], redacted=redacted)
    except RuleError as error:
        pytest.skip(f"refused: {error}")


def usual(platform: Platform) -> str:
    """A case with the usual key that the device can do."""
    cases = carried(platform)
    return "common-ikev2" if "common-ikev2" in cases else cases[-1]


@every_platform
@every_case
def test_it_writes_the_same_twice(platform: Platform, case: str) -> None:
    first = rendered(platform, case)
    assert first == render_case(platform, replace(CASES[case]))
    assert first.text.endswith("\n")
    assert first.text.isascii()


@every_platform
def test_it_writes_the_time_in_utc(platform: Platform) -> None:
    spec = CASES[usual(platform)]
    texts = {
        render(
            platform,
            spec,
            version=platform.versions[0],
            redacted=False,
            now=now,
            console_version=CONSOLE_VERSION,
        ).text
        for now in (NOW, NOW.astimezone(SHANGHAI))
    }
    assert len(texts) == 1
    assert "2026-01-02 03:04 UTC" in texts.pop()


@every_platform
@every_case
def test_it_says_who_made_it_and_for_which_tunnel(platform: Platform, case: str) -> None:
    rendering = rendered(platform, case)
    for part in (
        "vpnx-7k2m9q4z",
        "idc-shanghai",
        "gateway-beijing",
        "shanghai-router",
        CONSOLE_VERSION,
    ):
        assert part in rendering.text
    allowed = set(string.ascii_lowercase + string.digits + "-.")
    for filename in (rendering.download().filename, *(file.filename for file in rendering.files)):
        assert "vpnx-7k2m9q4z" in filename
        assert set(filename) <= allowed


@every_platform
@every_case
def test_it_hides_the_key_of_a_redacted_copy(platform: Platform, case: str) -> None:
    rendering, key = rendered(platform, case, redacted=True), CASES[case].psk.reveal()
    assert key not in rendering.text
    assert key.encode().hex() not in rendering.text
    assert base64.b64encode(key.encode()).decode() not in rendering.text
    assert PSK_PLACEHOLDER in rendering.text


def test_it_never_gives_the_key_to_the_writer_of_a_redacted_copy() -> None:
    keys: list[str] = []

    def write(order: Order) -> str:
        keys.append(order.spec.psk.reveal())
        return "text"

    platform = replace(
        PLATFORMS["generic-sheet"], parts=(Part(filename="{tunnel_id}.txt", write=write),)
    )
    render_case(platform, a_tunnel_spec(), redacted=True)
    assert keys == [PSK_PLACEHOLDER]


@every_platform
def test_it_differs_in_a_redacted_copy_only_by_the_key(platform: Platform) -> None:
    case = usual(platform)
    full = rendered(platform, case).text.splitlines()
    redacted = rendered(platform, case, redacted=True).text.splitlines()
    assert len(full) == len(redacted)
    key = CASES[case].psk.reveal()
    changed = [pair for pair in zip(full, redacted, strict=True) if pair[0] != pair[1]]
    # The lines with the key, and the line of the header that speaks about it.
    assert len([line for line, _ in changed if key not in line]) <= 2
    assert changed


def test_it_has_a_placeholder_that_any_grammar_can_carry() -> None:
    assert check_psk(PSK_PLACEHOLDER)
    assert set(PSK_PLACEHOLDER) <= set(string.ascii_uppercase + "-")


@every_platform
def test_it_does_not_show_a_file_in_a_log(platform: Platform) -> None:
    rendering = rendered(platform, usual(platform))
    assert "Golden-Key_73519" in rendering.text
    assert "Golden-Key_73519" not in repr(rendering.download())
    assert "Golden-Key_73519" not in repr(rendering)
    assert "Golden-Key_73519" not in f"{rendering}"


@every_platform
def test_it_refuses_a_version_that_is_not_offered(platform: Platform) -> None:
    with pytest.raises(RuleError) as caught:
        render(
            platform,
            a_tunnel_spec(),
            version="0.1",
            redacted=True,
            now=NOW,
            console_version=CONSOLE_VERSION,
        )
    [finding] = caught.value.findings
    assert (finding.rule, finding.field) == ("unknown-version", "version")
    assert platform.versions[0] in finding.message


def test_it_writes_nothing_when_the_device_cannot() -> None:
    written: list[Order] = []

    def write(order: Order) -> str:
        written.append(order)
        return "text"

    def unsupported(_spec: TunnelSpec) -> list[Finding]:
        return [Finding(rule="no-dh19", message="It has no DH19; choose DH14.", field="dh_group")]

    platform = replace(
        PLATFORMS["generic-sheet"],
        parts=(Part(filename="{tunnel_id}.txt", write=write),),
        unsupported=unsupported,
    )
    with pytest.raises(RuleError) as caught:
        render_case(platform, a_tunnel_spec())
    assert str(caught.value) == "It has no DH19; choose DH14."
    assert written == []


def test_it_hands_on_what_a_device_does_only_in_part() -> None:
    platform = replace(PLATFORMS["generic-sheet"], losses=lambda _spec: ["It counts in minutes."])
    assert render_case(platform, a_tunnel_spec()).warnings == ("It counts in minutes.",)


def test_it_needs_to_know_the_time_zone() -> None:
    platform = PLATFORMS["generic-sheet"]
    naive = datetime(2026, 1, 2, 3, 4) + timedelta(0)  # noqa: DTZ001 - the mistake under test
    with pytest.raises(ValueError, match="time zone"):
        render(
            platform, a_tunnel_spec(), version="text", redacted=True, now=naive, console_version="1"
        )
    assert naive.replace(tzinfo=UTC) == NOW


def test_it_groups_platforms_by_vendor() -> None:
    names = list(vendors())
    assert names == [*sorted(names[:-1], key=str.casefold), "Generic"]
    assert {platform.id for group in vendors().values() for platform in group} == set(PLATFORMS)
    for vendor, platforms in vendors().items():
        assert {platform.vendor for platform in platforms} == {vendor}


@every_platform
def test_it_finds_a_platform_by_its_id(platform: Platform) -> None:
    assert find_platform(platform.id) is platform
    assert platform.versions


def test_it_names_the_choices_when_a_platform_is_unknown() -> None:
    with pytest.raises(RuleError) as caught:
        find_platform("toaster")
    assert "strongSwan swanctl.conf" in str(caught.value)
    assert "Generic Settings sheet" in str(caught.value)
