"""Drafts in the session: what was typed, by step, and the pre-shared key as ciphertext only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from formtools.wizard.storage.base import BaseStorage

from tunnels.domain.findings import Finding
from tunnels.domain.secret import Secret
from tunnels.models import vault

KEY: Final = "drafts"
DRAFTS_MAX: Final = 10
# Ten rules with fifty remotes each are a tenth of it.
BYTES_MAX: Final = 256 * 1024
# A longer key is wrong anyway; a little more than the limit is kept so that the form can say so.
PSK_KEPT_MAX: Final = 256


class DraftStorage(BaseStorage):  # type: ignore[misc]
    """One draft of the session's. The current step is the address's, so reading never writes.

    `known` tells whether the session has the draft at all, `expired` whether it was left too long ago.
    """

    def __init__(self, prefix: str, request: HttpRequest, file_storage: object = None) -> None:
        super().__init__(prefix, request, file_storage)
        self.draft = prefix
        self._step: str | None = None
        self._changed = False
        self.init_data()
        stored = _drafts(request).get(prefix)
        self.known = stored is not None
        self.expired = stored is not None and _too_old(stored)
        if stored is not None and not self.expired:
            self.data = json.loads(json.dumps(stored))

    def _get_current_step(self) -> str | None:
        return self._step

    def _set_current_step(self, step: str | None) -> None:
        self._step = step

    def _get_extra_data(self) -> dict[str, Any]:
        extra: dict[str, Any] = self.data[self.extra_data_key]
        return extra

    def set_step_data(self, step: str, cleaned_data: Mapping[str, list[str]]) -> None:
        """Keep the step; formtools calls it for valid steps, and so it counts as passed."""
        super().set_step_data(step, cleaned_data)
        self._put("passed", sorted({*self.passed, step}))

    def keep(self, step: str, data: Mapping[str, list[str]]) -> None:
        """Keep what was typed in the step, right or wrong; it has to pass again."""
        super().set_step_data(step, data)
        self._put("passed", sorted(self.passed - {step}))
        if self.refused and self.refused[0] == step:
            self._put("refused", None)

    def forget(self, step: str) -> None:
        """Drop what was typed in the step."""
        self.data[self.step_data_key].pop(step, None)
        self._put("passed", sorted(self.passed - {step}))

    @property
    def passed(self) -> set[str]:
        """The steps that were in order when they were left."""
        return set(self._get_extra_data().get("passed", ()))

    @property
    def psk(self) -> Secret | None:
        """The key typed earlier; None when there is none or the vault's keys have changed."""
        token = self._get_extra_data().get("psk")
        try:
            return vault.decrypt(token) if token else None
        except vault.VaultError:
            return None

    @psk.setter
    def psk(self, secret: Secret) -> None:
        self._put("psk", vault.encrypt(Secret(secret.reveal()[:PSK_KEPT_MAX])))

    @property
    def preset(self) -> str:
        """The preset chosen last, "" when none was."""
        return str(self._get_extra_data().get("preset", ""))

    @preset.setter
    def preset(self, preset: str) -> None:
        self._put("preset", preset)

    @property
    def refused(self) -> tuple[str, list[Finding]] | None:
        """The step that Finish sent back to, and what was found there."""
        stored = self._get_extra_data().get("refused")
        return (stored[0], [Finding(**found) for found in stored[1]]) if stored else None

    def refuse(self, step: str, findings: Iterable[Finding]) -> None:
        """Note what Finish found, for the step's page to tell."""
        kept = [
            {"rule": f.rule, "message": f.message, "field": f.field, "row": f.row} for f in findings
        ]
        self._put("refused", [step, kept])

    def reset(self) -> None:
        """Remove the draft from the session."""
        self.init_data()
        self._changed = False
        drafts = _drafts(self.request)
        if drafts.pop(self.draft, None) is not None:
            self.request.session[KEY] = drafts

    def update_response(self, response: HttpResponseBase) -> None:
        """Write the draft if this request changed it; old ones go, and of more than ten the oldest.

        Raises SuspiciousOperation (400) when somebody typed more than any tunnel can hold.
        """
        super().update_response(response)
        if not self._changed:
            return
        mine = {**self.data, "touched": timezone.now().timestamp()}
        if len(json.dumps(mine)) > BYTES_MAX:
            raise SuspiciousOperation("The draft is too large.")
        others = {
            key: value
            for key, value in _drafts(self.request).items()
            if key != self.draft and not _too_old(value)
        }
        newest = sorted(others.items(), key=lambda item: item[1]["touched"])[1 - DRAFTS_MAX :]
        self.request.session[KEY] = {**dict(newest), self.draft: mine}

    def _put(self, key: str, value: object) -> None:
        self._get_extra_data()[key] = value
        self._changed = True


def _drafts(request: HttpRequest) -> dict[str, Any]:
    return dict(request.session.get(KEY, {}))


def _too_old(stored: Mapping[str, Any]) -> bool:
    age = timedelta(seconds=timezone.now().timestamp() - stored["touched"])
    return age > timedelta(hours=settings.VPNCONSOLE.draft_hours)
