"""Address of the activity page."""

from __future__ import annotations

from django.urls import path

from tunnels.web.activity.views import activity

urlpatterns = [path("activity/", activity, name="activity")]
