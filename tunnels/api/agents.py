"""What agents call: enrol once, then sync."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, ValidationError
from ninja.security import HttpBearer
from pydantic import SecretStr

from tunnels.contract import SyncAnswer, SyncRequest
from tunnels.domain.findings import RuleError
from tunnels.models import GatewayAgent
from tunnels.services.enrolment import enrol
from tunnels.services.sync import find_agent, sync

# An agent names the gateway it believes to be, so that a refused one can be shown on that gateway's page.
GATEWAY_HEADER = "VPN-Gateway"


class AgentRequest(HttpRequest):
    """A request that carries an agent's token."""

    auth: GatewayAgent


class AgentToken(HttpBearer):
    """The bearer token of an enrolled agent."""

    def authenticate(self, request: HttpRequest, token: str) -> GatewayAgent | None:
        agent = find_agent(token)
        if agent is None:
            GatewayAgent.objects.filter(
                vpn_gateway__public_id=request.headers.get(GATEWAY_HEADER, "")
            ).update(refused_at=timezone.now())
        return agent


class Enrolment(Schema):
    """A one-time token from the gateway's page."""

    token: SecretStr


class Enrolled(Schema):
    """The agent's own token; it is shown this once."""

    gateway: str
    token: str


api = NinjaAPI(
    title="VPN Console: agents",
    version="1",
    urls_namespace="agents",
    docs_url=None,
    openapi_url=None,
)


@api.post("/enrol", response=Enrolled, url_name="enrol")
def enrol_agent(request: HttpRequest, body: Enrolment) -> Enrolled:
    """Exchange a one-time token for the agent's own."""
    gateway, token = enrol(token=body.token.get_secret_value())
    return Enrolled(gateway=gateway.public_id, token=token)


@api.post("/sync", auth=AgentToken(), url_name="sync")
def sync_agent(request: AgentRequest, body: SyncRequest) -> HttpResponse:
    """Take in what the agent saw; answer with what it shall make true."""
    answer: SyncAnswer = sync(agent=request.auth, request=body)
    # Straight from pydantic: another pass through a response schema would mask the keys.
    return HttpResponse(answer.model_dump_json(), content_type="application/json")


@api.exception_handler(AuthenticationError)
def _refused(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return _problem(
        401, "The token is unknown or revoked; enrol this agent again on the gateway's page."
    )


@api.exception_handler(RuleError)
def _ruled_out(request: HttpRequest, error: RuleError) -> HttpResponse:
    return _problem(422, str(error))


@api.exception_handler(ValidationError)
def _malformed(request: HttpRequest, error: ValidationError) -> HttpResponse:
    # Only where and what: the input itself may hold a secret.
    details = "; ".join(
        f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in error.errors[:5]
    )
    return _problem(422, f"The request does not follow the contract: {details}")


def _problem(status: int, detail: str) -> HttpResponse:
    """RFC 9457."""
    return JsonResponse(
        {"title": "Refused", "status": status, "detail": detail},
        status=status,
        content_type="application/problem+json",
    )
