"""Pages of users. A generated password is in the answer to the POST that made it, and nowhere else."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import patch_cache_control
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from tunnels.domain.findings import RuleError
from tunnels.domain.secret import Secret
from tunnels.services import users
from tunnels.web.access import reads, writes
from tunnels.web.errors import add_findings
from tunnels.web.http import HtmxHttpRequest, done, respond
from tunnels.web.keyset import page_of
from tunnels.web.users.forms import NewUserForm, UserForm

PAGE_SIZE: Final = 50
CHANGED: Final = "user-changed"


@require_GET
@reads("auth.view_user")
def user_list(request: HtmxHttpRequest) -> HttpResponse:
    """All users by name, with role and last sign-in."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:150]
    page = page_of(
        _rows().filter(username__icontains=text), request.GET, by="username", size=PAGE_SIZE
    )
    context = {
        "page": page,
        "entries": [(user, _role(user), users.may_reveal_by_itself(user)) for user in page.rows],
        "text": text,
        "here": request.get_full_path(),
    }
    return respond(request, "users/list.html", context, partial="rows")


@require_http_methods(["GET", "POST"])
@writes("auth.add_user")
def user_create(request: HtmxHttpRequest) -> HttpResponse:
    """The form of a new user: GET shows it, POST creates and shows the password once."""
    form = NewUserForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            user, password = users.create_user(actor=request.user, **form.cleaned_data)
        except RuleError as error:
            add_findings(form, error)
        else:
            return _show_password(request, user, password, f"{user.username} may sign in now")
    status = 422 if form.errors else 200
    return respond(request, "users/create.html", {"form": form}, partial="dialog", status=status)


@require_http_methods(["GET", "POST"])
@writes("auth.change_user")
def user_edit(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Role, sight of keys and access of a user: GET shows them, POST saves."""
    user = get_object_or_404(_rows(), pk=pk)
    form = UserForm(
        request.POST if request.method == "POST" else None, initial=UserForm.values(user)
    )
    if form.is_valid():
        try:
            users.update_user(actor=request.user, user=user, **form.cleaned_data)
        except RuleError as error:
            add_findings(form, error)
        else:
            messages.success(request, f"User {user.username} was saved.")
            return done(request, "tunnels:user-list", event=CHANGED)
    context = {"form": form, "person": user, "own": user == request.user}
    status = 422 if form.errors else 200
    return respond(request, "users/edit.html", context, partial="dialog", status=status)


@require_GET
@writes("auth.change_user")
def user_password_confirm(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """The question before a user's password is replaced."""
    user = get_object_or_404(_rows(), pk=pk)
    context = {"person": user, "second_factors": users.second_factors(user)}
    return respond(request, "users/renew.html", context, partial="dialog")


@require_POST
@writes("auth.change_user")
def user_password(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Replace the password of a user and show the new one once."""
    user = get_object_or_404(_rows(), pk=pk)
    try:
        password = users.renew_password(
            actor=request.user,
            user=user,
            remove_second_factors="remove_second_factors" in request.POST,
        )
    except RuleError as error:
        context = {
            "person": user,
            "refusal": str(error),
            "second_factors": users.second_factors(user),
        }
        return respond(request, "users/renew.html", context, partial="dialog", status=422)
    return _show_password(request, user, password, f"New password for {user.username}")


@sensitive_variables("password", "context")
def _show_password(
    request: HtmxHttpRequest, user: User, password: Secret, title: str
) -> HttpResponse:
    context = {"person": user, "title": title, "password": password.reveal()}
    response = respond(request, "users/password.html", context, partial="dialog")
    patch_cache_control(response, no_store=True)
    if request.htmx:
        trigger_client_event(response, CHANGED)
    return response


def _rows() -> QuerySet[User]:
    return User.objects.prefetch_related("groups", "user_permissions__content_type")


def _role(user: User) -> str:
    """The strongest role, from groups that are loaded already."""
    names = {group.name for group in user.groups.all()}
    if user.is_superuser or "admin" in names:
        return "admin"
    return next((role for role in ("operator", "viewer") if role in names), "")
