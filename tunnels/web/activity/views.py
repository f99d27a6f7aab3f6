"""The activity page."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from tunnels.models import Event
from tunnels.web.access import reads
from tunnels.web.activity.forms import ActivityFilter
from tunnels.web.http import HtmxHttpRequest, respond
from tunnels.web.keyset import page_of
from tunnels.web.logs.changes import changes

PAGE_SIZE = 100


@require_GET
@reads("tunnels.view_event")
def activity(request: HtmxHttpRequest) -> HttpResponse:
    """All events, the newest first, with what each changed."""
    form = ActivityFilter(request.GET)
    valid = form.is_valid()
    page = page_of(
        form.apply(Event.objects.all()), request.GET, by="at", size=PAGE_SIZE, descending=True
    )
    context = {
        "form": form,
        "page": page,
        "entries": [(event, changes(event.before, event.after)) for event in page.rows],
        "filtered": any(form.cleaned_data.values()),
    }
    return respond(
        request, "activity/activity.html", context, partial="entries", status=200 if valid else 422
    )
