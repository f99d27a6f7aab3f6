"""The wizard on top of django-formtools, by its hooks.

What formtools does otherwise and must not here: a GET resumes and never creates; an unknown step is a 404 and a
forged one a 400; what is stored are declared fields, never the key or the CSRF token; Back keeps what was typed.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, Final, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django_htmx.http import trigger_client_event
from formtools.wizard.forms import ManagementForm
from formtools.wizard.views import NamedUrlSessionWizardView, WizardView

from tunnels.domain.findings import RuleError
from tunnels.domain.proposals import PRESETS
from tunnels.domain.secret import Secret
from tunnels.models import Tunnel, VpnGateway
from tunnels.web.errors import add_findings
from tunnels.web.http import (
    HtmxHttpRequest,
    SeeOther,
    done,
    in_dialog,
    is_partial,
    redirect,
    respond,
)
from tunnels.web.wizard import finish
from tunnels.web.wizard.draft import chosen_gateway, ike_of, note_device, preset_data, probe_of
from tunnels.web.wizard.forms_basic import BasicForm
from tunnels.web.wizard.forms_common import Data, StepForm
from tunnels.web.wizard.forms_ike import PRESET, IkeForm
from tunnels.web.wizard.forms_ipsec import IpsecForm
from tunnels.web.wizard.forms_spd import SpdForm
from tunnels.web.wizard.storage import DraftStorage

TEMPLATE: Final = "tunnels/wizard/wizard.html"
# The element around a step's form; htmx asks for its content alone.
BODY: Final = "step-body"
REQUIRED: Final = ("basic", "spd")
GOTO: Final = "wizard_goto_step"
FINISH: Final = "finish"
LABELS: Final = {
    "basic": "Basic information",
    "spd": "SPD policy",
    "ike": "IKE (optional)",
    "ipsec": "IPsec (optional)",
}


class TunnelWizard(NamedUrlSessionWizardView):  # type: ignore[misc]
    """One draft, named by the uuid in the address."""

    storage_name = "tunnels.web.wizard.storage.DraftStorage"
    url_name = "tunnels:wizard"
    form_list: ClassVar = [
        ("basic", BasicForm),
        ("spd", SpdForm),
        ("ike", IkeForm),
        ("ipsec", IpsecForm),
    ]

    request: HtmxHttpRequest
    storage: DraftStorage

    # --- Requests ----------------------------------------------------------------------------------

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = cast("HtmxHttpRequest", request)
        tunnel = finished(kwargs["draft"])
        if tunnel and FINISH in request.POST:
            return landed(asked, tunnel)
        if tunnel:
            return redirect(asked, "tunnels:detail", public_id=tunnel.public_id)
        return cast("HttpResponse", super().dispatch(request, *args, **kwargs))

    def get(self, *_args: Any, step: str, **_kwargs: Any) -> HttpResponse:
        """Show the step with what was typed; never create, and never go where earlier steps are missing."""
        if step != self.done_step_name and step not in self.get_form_list():
            raise Http404
        missing = self._missing(step)
        if self.storage.expired or (missing and not self.storage.known):
            return self._start_again()
        if missing or step == self.done_step_name:
            return self._go(missing or self.steps.last)
        self.storage.current_step = step
        refused = self.storage.refused
        if not refused or refused[0] != step:
            return self._page(self.get_form())
        form = self.get_form(data=self.storage.current_step_data)
        form.is_valid()
        add_findings(form, refused[1])
        return self._page(form)

    def post(self, *args: Any, step: str, **kwargs: Any) -> HttpResponse:
        """Keep what was typed, then do what the pressed button says."""
        data: Data = self.request.POST
        if step not in self.get_form_list():
            raise Http404
        management = ManagementForm(data, prefix=self.prefix)
        if not management.is_valid() or management.cleaned_data["current_step"] != step:
            raise SuspiciousOperation("The form names another step than its address.")
        if self.storage.expired:
            return self._start_again()
        self.storage.current_step = step
        form_class: type[StepForm] = self.get_form_list()[step]
        operation = form_class.asked(data)
        changed, focus = form_class.operate(data, step) if operation else (data, "")
        self._keep(step, form_class, changed)
        missing = self._missing(step)
        if missing or GOTO in data:
            return self._go(missing or self._known_step(data))
        if operation:
            return self._operated(operation, focus)
        return cast("HttpResponse", super().post(*args, step=step, **kwargs))

    # --- formtools' hooks --------------------------------------------------------------------------

    def get_prefix(self, _request: HttpRequest, *_args: Any, **kwargs: Any) -> str:
        return str(kwargs["draft"])

    def get_step_url(self, step: str) -> str:
        return reverse(self.url_name, kwargs={"draft": self.prefix, "step": step})

    def get_form_kwargs(self, step: str | None = None) -> dict[str, Any]:
        if step == "basic":
            may = self.request.user.has_perm("tunnels.add_customergateway")
            return {"may_add_customer": may, "kept_psk": self.storage.psk}
        if step == "spd":
            return {"vpn_gateway": self.gateway, "health": probe_of(self.storage)}
        return {"ike": ike_of(self.storage)} if step == "ipsec" else {}

    def get_form_initial(self, step: str) -> dict[str, Any]:
        form_class: type[StepForm] = self.get_form_list()[step]
        data = self.storage.get_step_data(step) or preset_data(self.storage, step)
        return form_class.typed(data, step) if data else {}

    def get_form_step_data(self, form: StepForm) -> dict[str, list[str]]:
        return self._declared(self.steps.current, type(form), cast("Data", form.data))

    def get_context_data(self, form: StepForm, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(form=form, **kwargs)
        current = self.steps.current
        if current != "basic" and self.gateway:
            may_finish = current not in REQUIRED
            note_device(self.storage, current, form, self.gateway, whole=may_finish)
        return {
            **context,
            "step": current,
            "step_template": f"tunnels/steps/{current}.html",
            "bar": [self._mark(name) for name in self.steps.all],
            "action": self.get_step_url(current),
            "check_url": reverse("tunnels:wizard-spd-check", kwargs={"draft": self.prefix}),
            "may_finish": current not in REQUIRED,
        }

    def render_to_response(self, context: dict[str, Any], **_kwargs: Any) -> HttpResponse:
        partial = "body" if self.request.htmx.target == BODY else "sheet"
        failed = self.request.method == "POST" and context["form"].has_errors
        return respond(
            self.request, TEMPLATE, context, partial=partial, status=422 if failed else 200
        )

    def render_next_step(self, form: StepForm, **kwargs: Any) -> HttpResponse:
        if FINISH in self.request.POST and self.steps.current not in REQUIRED:
            return self.render_done(form, **kwargs)
        return self._go(self.steps.next)

    def render_done(self, form: StepForm, **kwargs: Any) -> HttpResponse:
        """Check all steps again and create; what was skipped is as the preset in force says."""
        for step in self.steps.all:
            if step not in (*REQUIRED, self.steps.current) and not self.storage.get_step_data(step):
                self.storage.set_step_data(step, dict(preset_data(self.storage, step).lists()))
        try:
            return cast("HttpResponse", WizardView.render_done(self, form, **kwargs))
        except RuleError as error:
            to_correct, findings = finish.first_step(error.findings)
            self.storage.refuse(to_correct, findings)
            return self._go(to_correct)

    def render_revalidation_failure(
        self, failed_step: str, _form: StepForm, **_kwargs: Any
    ) -> HttpResponse:
        # Finish pressed twice: to the second press, the first one's tunnel is in the way.
        tunnel = finished(self.kwargs["draft"])
        if tunnel:
            self.storage.reset()
            return landed(self.request, tunnel)
        self.storage.refuse(failed_step, [])
        return self._go(failed_step)

    def done(self, form_list: list[StepForm], **_kwargs: Any) -> HttpResponse:
        forms = cast("finish.StepForms", tuple(form_list))
        tunnel = finish.create(actor=self.request.user, draft=self.kwargs["draft"], forms=forms)
        return landed(self.request, tunnel)

    # --- Ours --------------------------------------------------------------------------------------

    @cached_property
    def gateway(self) -> VpnGateway | None:
        """The VPN gateway chosen in step 1, unless it has been deleted meanwhile."""
        return chosen_gateway(self.storage)

    def _keep(self, step: str, form_class: type[StepForm], data: Data) -> None:
        self.storage.keep(step, self._declared(step, form_class, data))
        typed = data.get(f"{step}-psk") if "psk" in form_class.secrets else ""
        if typed:
            self.storage.psk = Secret(typed)

    def _declared(self, step: str, form_class: type[StepForm], data: Data) -> dict[str, list[str]]:
        secret = {f"{step}-{name}" for name in form_class.secrets}
        wanted = form_class.declared(step) - secret
        return {name: data.getlist(name) for name in sorted(wanted) if name in data}

    def _operated(self, operation: str, focus: str) -> HttpResponse:
        if operation == PRESET and self.request.POST[PRESET] in PRESETS:
            self.storage.preset = self.request.POST[PRESET]
            self.storage.forget("ipsec")
        if not is_partial(self.request):
            # Loading the page again, or coming back to it, then repeats nothing.
            return SeeOther(f"{self.get_step_url(self.steps.current)}#{focus}")
        response = self._page(self.get_form())
        if focus:
            trigger_client_event(response, "step:focus", {"id": focus}, after="settle")
        return response

    def _page(self, form: StepForm) -> HttpResponse:
        return cast("HttpResponse", self.render(form))

    def _missing(self, step: str) -> str:
        """The first required step before this one that has not been passed."""
        if step == "spd" and self.gateway is None:
            return "basic"
        before = REQUIRED[: REQUIRED.index(step)] if step in REQUIRED else REQUIRED
        return next((name for name in before if name not in self.storage.passed), "")

    def _known_step(self, data: Data) -> str:
        step = data.get(GOTO) or ""
        if step not in self.get_form_list():
            raise SuspiciousOperation("There is no such step.")
        return step

    def _go(self, step: str) -> HttpResponse:
        url = self.get_step_url(step)
        # In the dialog the browser's request follows the redirect by itself and stays there.
        stays = in_dialog(self.request) or not self.request.htmx
        return SeeOther(url) if stays else redirect(self.request, url)

    def _start_again(self) -> HttpResponse:
        messages.warning(
            self.request,
            "This draft is not there any more: unfinished tunnels are dropped after a while. Please start again.",
        )
        url = reverse("tunnels:create")
        return SeeOther(url) if in_dialog(self.request) else redirect(self.request, url)

    def _mark(self, name: str) -> dict[str, Any]:
        order = self.steps.all
        behind = order.index(name) < order.index(self.steps.current)
        return {
            "name": name,
            "label": LABELS[name],
            "current": name == self.steps.current,
            "done": behind or name in self.storage.passed,
            "open": behind,
        }


def finished(draft: UUID) -> Tunnel | None:
    """The tunnel that this draft has become, without its key."""
    return Tunnel.objects.filter(draft=draft).only("public_id", "name").first()


def landed(request: HtmxHttpRequest, tunnel: Tunnel) -> HttpResponse:
    """The answer to Finish, the first and every other: the list, and a message that names the tunnel."""
    messages.success(request, f"Tunnel {tunnel.name} was created. Its gateway will bring it up.")
    event = "tunnels-changed" if in_dialog(request) else None
    return done(request, "tunnels:list", event=event)
