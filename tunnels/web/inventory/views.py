"""The pages of every noun: list, form, deletion. Each function answers for the noun that it is given."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from tunnels.domain.findings import RuleError
from tunnels.web.access import Guarded, reads, writes
from tunnels.web.errors import add_findings
from tunnels.web.http import HtmxHttpRequest, done, respond
from tunnels.web.inventory.forms import InventoryForm
from tunnels.web.inventory.nouns import Noun
from tunnels.web.keyset import page_of

PAGE_SIZE = 50
# The part of the form that is fetched again when the inputs before it change.
NETWORK = "network-choice"


def list_view(noun: Noun) -> Guarded[[]]:
    """The list of a noun, with a search."""

    @reads(f"tunnels.view_{noun.slug}")
    def view(request: HtmxHttpRequest) -> HttpResponse:
        text = request.GET.get("q", "").replace("\0", "").strip()[:200]
        page = page_of(noun.find(text), request.GET, by="name", size=PAGE_SIZE)
        context = {
            "noun": noun,
            "page": page,
            "text": text,
            "table": f"inventory/{noun.slug}_table.html",
            **_addresses(noun, request),
        }
        return respond(request, "inventory/list.html", context, partial="rows")

    return view


def create_view(noun: Noun) -> Guarded[[]]:
    """The form of a new thing: GET shows it, POST creates."""

    @writes(f"tunnels.add_{noun.slug}")
    def view(request: HtmxHttpRequest) -> HttpResponse:
        return _form(request, noun, None)

    return view


def edit_view(noun: Noun) -> Guarded[[str]]:
    """The form of an existing thing: GET shows it, POST saves."""

    @writes(f"tunnels.change_{noun.slug}")
    def view(request: HtmxHttpRequest, ident: str) -> HttpResponse:
        return _form(request, noun, _find(noun, ident))

    return view


def confirm_view(noun: Noun) -> Guarded[[str]]:
    """The question before a deletion."""

    @writes(f"tunnels.delete_{noun.slug}")
    def view(request: HtmxHttpRequest, ident: str) -> HttpResponse:
        return _confirm(request, noun, _find(noun, ident))

    return view


def delete_view(noun: Noun) -> Guarded[[str]]:
    """The deletion; when the thing is in use, the question comes back with the names of its users."""

    @writes(f"tunnels.delete_{noun.slug}")
    def view(request: HtmxHttpRequest, ident: str) -> HttpResponse:
        instance = noun.rows().filter(**{noun.key: ident}).first()
        if instance is None:
            messages.info(request, f"The {noun.one} {ident} was deleted already.")
            return done(request, f"tunnels:{noun.slug}-list", event=f"{noun.slug}-changed")
        try:
            noun.delete(actor=request.user, **{noun.delete_as: instance})
        except RuleError as error:
            return _confirm(request, noun, instance, refusal=str(error), status=422)
        messages.success(request, f"{_capital(noun.one)} {instance.name} was deleted.")
        return done(request, f"tunnels:{noun.slug}-list", event=f"{noun.slug}-changed")

    return view


def _form(request: HtmxHttpRequest, noun: Noun, instance: Any | None) -> HttpResponse:
    if request.method == "GET":
        form = noun.form(initial=noun.form.values(instance) if instance else None)
        return _show(request, noun, form, instance)
    if "refresh" in request.POST:
        return _show(request, noun, noun.form.refreshed(request.POST), instance)
    form = noun.form(request.POST)
    if form.is_valid():
        try:
            sentence = form.save(actor=request.user, instance=instance)
        except RuleError as error:
            add_findings(form, error)
        else:
            messages.success(request, sentence)
            return done(request, f"tunnels:{noun.slug}-list", event=f"{noun.slug}-changed")
    return _show(request, noun, form, instance, status=422)


def _show(
    request: HtmxHttpRequest,
    noun: Noun,
    form: InventoryForm,
    instance: Any | None,
    status: int = 200,
) -> HttpResponse:
    title = f"Edit {instance.name}" if instance else f"New {noun.one}"
    submit = "Save" if instance else f"Create {noun.one}"
    context = {
        "noun": noun,
        "form": form,
        "instance": instance,
        "title": title,
        "submit": submit,
        **_addresses(noun, request),
    }
    partial = "network" if request.htmx.target == NETWORK else "dialog"
    template = f"inventory/{noun.slug}_form.html" if noun.form.refreshing else "inventory/form.html"
    return respond(request, template, context, partial=partial, status=status)


def _confirm(
    request: HtmxHttpRequest, noun: Noun, instance: Any, refusal: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "noun": noun,
        "instance": instance,
        "ident": getattr(instance, noun.key),
        "refusal": refusal,
        **_addresses(noun, request),
    }
    return respond(request, "inventory/delete.html", context, partial="dialog", status=status)


def _addresses(noun: Noun, request: HttpRequest) -> dict[str, Any]:
    """The names of the noun's addresses, and which of them this user may open."""
    verbs = ("list", "create", "edit", "delete", "delete-confirm")
    return {
        "here": request.get_full_path(),
        **{f"{verb.replace('-', '_')}_view": f"tunnels:{noun.slug}-{verb}" for verb in verbs},
        "may_add": noun.can(request.user, "add"),
        "may_change": noun.can(request.user, "change"),
        "may_delete": noun.can(request.user, "delete"),
    }


def _find(noun: Noun, ident: str) -> Any:
    return get_object_or_404(noun.rows(), **{noun.key: ident})


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
