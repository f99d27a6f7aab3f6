"""Addresses of one VPN gateway's page."""

from __future__ import annotations

from django.urls import path

from tunnels.web.gateways import views

urlpatterns = [
    path("vpn-gateways/<slug:ident>/", views.gateway, name="vpngateway"),
    path("vpn-gateways/<slug:ident>/live/", views.gateway_live, name="vpngateway-live"),
    path("vpn-gateways/<slug:ident>/agent/enrol/", views.agent_enrol, name="agent-enrol"),
    path(
        "vpn-gateways/<slug:ident>/agent/revoke/confirm/",
        views.agent_revoke_confirm,
        name="agent-revoke-confirm",
    ),
    path("vpn-gateways/<slug:ident>/agent/revoke/", views.agent_revoke, name="agent-revoke"),
]
