"""The sentences of each cause: what is wrong, and what to do about it; and the input to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tunnels.domain.diagnosis.model import Code, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Title, sentences and place of one cause. `{peer}` stands for the customer gateway's address."""

    title: str
    cause: str
    advice: str
    step: Step = Step.NONE
    field: str = ""


TEXTS: Mapping[Code, Text] = MappingProxyType({
    Code.PSK_MISMATCH: Text(
        title="The pre-shared keys differ",
        cause="The pre-shared keys of the two gateways differ.",
        advice=(
            "Set the same key on both gateways. Look for a space or line end that was copied along, "
            "and for quotes that the device takes as part of the key."
        ),
        step=Step.BASIC, field="psk",
    ),
    Code.IDENTITY_MISMATCH: Text(
        title="The identities differ",
        cause="One gateway does not recognise the IKE identity of the other.",
        advice=(
            "The local identity of each gateway must be the remote identity of the other, in the same form: "
            "an IP address or a domain name. A device behind NAT often sends its private address."
        ),
        step=Step.IKE, field="remote_fqdn",
    ),
    Code.AUTH_FAILED: Text(
        title="Authentication failed",
        cause="{peer} refused to authenticate us without saying why: the pre-shared key or an identity differs.",
        advice=(
            "Compare the pre-shared key first, then both identities. The log of the other device says which it is."
        ),
        step=Step.BASIC, field="psk",
    ),
    Code.IKE_VERSION_MISMATCH: Text(
        title="The IKE versions differ",
        cause="The two gateways use different versions of IKE.",
        advice="Choose the same version on both; IKEv2 when both devices have it.",
        step=Step.IKE, field="version",
    ),
    Code.IKE_PROPOSAL_MISMATCH: Text(
        title="The IKE settings differ",
        cause="The two gateways found no IKE (phase 1) settings in common.",
        advice="Set encryption, integrity and DH group of phase 1 alike on both gateways.",
        step=Step.IKE, field="encryption",
    ),
    Code.ESP_PROPOSAL_MISMATCH: Text(
        title="The IPsec settings differ",
        cause="The two gateways found no IPsec (phase 2) settings in common.",
        advice="Set encryption and integrity of phase 2 alike on both gateways, and PFS too.",
        step=Step.IPSEC, field="encryption",
    ),
    Code.PFS_MISMATCH: Text(
        title="The PFS groups differ",
        cause="The two gateways do not use the same PFS group in phase 2, or only one of them uses PFS.",
        advice=(
            "Choose the same PFS group on both gateways, or switch it off on both. With IKEv2 the difference shows "
            "only when keys are renewed: a tunnel that is up will break then."
        ),
        step=Step.IPSEC, field="pfs",
    ),
    Code.TS_MISMATCH: Text(
        title="The ranges differ",
        cause="The address ranges (traffic selectors) of the two gateways do not match.",
        advice=(
            "Each local range here must be a remote range there, and the other way round, with the same prefix length."
        ),
        step=Step.SPD, field="rules",
    ),
    Code.PEER_UNREACHABLE: Text(
        title="The peer does not answer",
        cause="{peer} does not answer.",
        advice=(
            "Check that the address of the customer gateway is right, that the device is on and that IPsec is enabled "
            "there, and that no firewall on the way blocks UDP ports 500 and 4500."
        ),
        step=Step.BASIC, field="customer_gateway",
    ),
    Code.HALF_OPEN: Text(
        title="The negotiation stops half-way",
        cause="The negotiation with {peer} begins and then stops without an error.",
        advice=(
            "Packets get lost in one direction, or a device drops what it does not like without a word. Check that "
            "firewalls let UDP ports 500 and 4500 pass in both directions, and read the log of the other device."
        ),
        step=Step.BASIC, field="customer_gateway",
    ),
    Code.NAT_WITHOUT_4500: Text(
        title="UDP port 4500 is blocked",
        cause="Address translation (NAT) was found, so the negotiation moves to UDP port 4500; nothing arrives there.",
        advice="Open UDP port 4500 in both directions on every firewall between the gateways, and on the NAT device.",
    ),
    Code.DPD_TIMEOUT: Text(
        title="The peer stopped answering",
        cause="The tunnel was up, then {peer} stopped answering.",
        advice=(
            "Check the other device and the line between the gateways. The tunnel comes back by itself as soon as the "
            "peer answers, if one side is set to begin."
        ),
        step=Step.IKE, field="dpd_timeout",
    ),
    Code.DELETED_BY_PEER: Text(
        title="The peer ended the tunnel",
        cause="{peer} ended the tunnel.",
        advice=(
            "Somebody took it down there, or the device ends idle tunnels. Its log says why. To have it opened "
            "again from here, set the negotiation to active."
        ),
        step=Step.IKE, field="negotiation",
    ),
    Code.LIFETIME_REKEY: Text(
        title="Keys were not renewed in time",
        cause="The keys of phase 2 reached the end of their life without being renewed.",
        advice=(
            "Set the same lifetimes on both gateways, and enough of it: the renewal begins when nine tenths have "
            "passed. If only one device can renew, give it the shorter lifetime."
        ),
        step=Step.IPSEC, field="lifetime_seconds",
    ),
    Code.KERNEL_INSTALL_FAILED: Text(
        title="The gateway cannot install the tunnel",
        cause="Both sides agreed, but this gateway's kernel refused to install the tunnel.",
        advice=(
            "Look at the gateway host: does its kernel (or kernel-libipsec) have the algorithms of phase 2, and does "
            "no other tunnel or VPN program there use the same ranges? Then reset the tunnel."
        ),
        step=Step.IPSEC, field="encryption",
    ),
    Code.LOCAL_RANGE_WITHOUT_ADDRESS: Text(
        title="The gateway has no address in the local range",
        cause="The gateway host has no address inside the local range, so strongSwan cannot route it.",
        advice=(
            "Give the gateway host an address of that range (on any interface, the loopback too), or correct the "
            "local range. Only gateways that use kernel-libipsec need this."
        ),
        step=Step.SPD, field="rules",
    ),
    Code.WAITING_FOR_TRAFFIC: Text(
        title="Waiting for traffic",
        cause="Nothing is wrong: the tunnel comes up with the first packet to one of its remote ranges.",
        advice="Send a packet, for example a ping, or set the negotiation to active to have it up always.",
        step=Step.IKE, field="negotiation",
    ),
    Code.WAITING_FOR_PEER: Text(
        title="Waiting for the peer",
        cause="The negotiation is passive, and {peer} has not begun.",
        advice="Start the tunnel on the other device, or set the negotiation to active.",
        step=Step.IKE, field="negotiation",
    ),
})  # fmt: skip
