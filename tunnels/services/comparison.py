"""Compare a pasted configuration with a tunnel. The text is read and let go: nothing of it is stored."""

from __future__ import annotations

from django.contrib.auth.models import User

from tunnels.compare.comparing import Answer, compare_text
from tunnels.models import Event, Tunnel
from tunnels.services import audit
from tunnels.services.access import require
from tunnels.services.specs import spec_of


def compare_configuration(*, actor: User, tunnel: Tunnel, text: str, grammar: str = "") -> Answer:
    """What differs between the text and the tunnel, for anybody who may see the tunnel.

    `grammar` is "" to recognise it. The key is compared only for those who may see it: for others the answer would
    confirm a guess. It leaves an event with the kind of configuration and the number of differences. Raises RuleError
    for what cannot be compared, and then leaves no event.
    """
    require(actor, "view_tunnel")
    with_key = actor.has_perm("tunnels.reveal_psk")
    answer = compare_text(text, spec_of(tunnel), grammar_id=grammar, with_key=with_key)
    number = len(answer.differences)
    audit.record(
        actor=actor,
        action="config-compared",
        target=tunnel,
        message=(
            f"A pasted configuration ({answer.grammar.label}) was compared with {tunnel.name}, "
            f"{'with' if answer.key_compared else 'without'} the key: "
            f"{number} difference{'' if number == 1 else 's'}"
        ),
        level=Event.Level.WARNING if answer.key_compared else Event.Level.INFO,
    )
    return answer
