"""Addresses of the console's pages."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import path

app_name = "tunnels"


@login_required
def tunnel_list(request: HttpRequest) -> HttpResponse:
    """Answer with the list of tunnels."""
    return HttpResponse("VPN Console")


urlpatterns = [path("tunnels/", tunnel_list, name="list")]
