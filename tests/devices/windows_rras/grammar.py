"""A reader of a script for RRAS: its statements as tree-sitter-powershell parses them, judged by what Microsoft lists
for Add-VpnS2SInterface, New-VpnTrafficSelector, New-NetFirewallRule, New-NetIPAddress and Connect-VpnS2SInterface.

Every parameter must be there, with a value that it takes, and no other; no other command may stand there.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from tests.devices.understood import BadFileError, Understood
from tests.vendors.powershell import (
    Assignment,
    BadScriptError,
    Call,
    Statement,
    Value,
    Variable,
    statements_of,
)

# It identifies itself by its address and has no word for anything else.
SILENT = frozenset({"local_identity", "remote_identity"})

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,30}", re.ASCII)
_ROUTE = re.compile(r"([0-9a-f.:]+/[0-9]{1,3}):([1-9][0-9]{0,3})", re.ASCII)

_ENCRYPTION = {
    "DES": "des",
    "DES3": "3des",
    "AES128": "aes-128",
    "AES192": "aes-192",
    "AES256": "aes-256",
}
_INTEGRITY = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha2-256", "SHA384": "sha2-384"}
_GROUPS = {
    "Group1": "dh1",
    "Group2": "dh2",
    "Group14": "dh14",
    "ECP256": "dh19",
    "ECP384": "dh20",
    "Group24": "dh24",
}
_CIPHERS = _ENCRYPTION | {"GCMAES128": "aes-128-gcm", "GCMAES256": "aes-256-gcm"}
_TRANSFORMS = {"MD596": "md5", "SHA196": "sha1", "SHA256128": "sha2-256"}
_PFS = {
    "None": "",
    "PFS1": "dh1",
    "PFS2": "dh2",
    "PFS2048": "dh14",
    "ECP256": "dh19",
    "ECP384": "dh20",
    "PFS24": "dh24",
}
_OUTAGES = {3, 6, 9, 12, 15, 30, 60, 120, 240, 360, 720, 900}

# What has one value only in a script of ours.
_FIXED: Mapping[str, Value] = {
    "Protocol": "IKEv2",
    "AuthenticationMethod": "PSKOnly",
    "ResponderAuthenticationMethod": "PSKOnly",
    "CustomPolicy": True,
    "NumberOfTries": 0,
    "RetryIntervalSeconds": 30,
    "IdleDisconnectSeconds": 17_279_999,
    "InitiateConfigPayload": False,
    "LocalVpnTrafficSelector": Variable("localSelectors"),
    "RemoteVpnTrafficSelector": Variable("remoteSelectors"),
}
_FREE = {
    "Name", "Destination", "SourceIpAddress", "SharedSecret", "EncryptionMethod", "IntegrityCheckMethod", "DHGroup",
    "CipherTransformConstants", "AuthenticationTransformConstants", "PfsGroup", "MMSALifeTimeSeconds",
    "SALifeTimeSeconds", "SADataSizeForRenegotiationKilobytes", "NetworkOutageTimeSeconds", "Persistent",
    "AutoConnectEnabled",
}  # fmt: skip
_ROUTES = {"IPv4Subnet": 4, "IPv6Subnet": 6}

Table = dict[str, Value]


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """What RRAS would understand of the script. Raises BadFileError."""
    assert platform_id == "windows-rras"
    if len(files) != 1:
        raise BadFileError(f"not one file: {list(files)}")
    [text] = files.values()
    # Windows PowerShell reads a file without a mark as its code page.
    if not text.isascii() or not text.endswith("\n"):
        raise BadFileError("characters that are another thing elsewhere, or an unfinished line")
    try:
        return _understood(statements_of(text))
    except BadScriptError as reason:
        raise BadFileError(str(reason)) from reason
    except (LookupError, ValueError) as missing:
        raise BadFileError(f"something is missing: {missing}") from missing


def _understood(statements: list[Statement]) -> Understood:
    strict, locals_, remotes, tunnel, added, *around = statements
    if strict != Assignment("ErrorActionPreference", "Stop"):
        raise BadFileError(f"it goes on after an error: {strict}")
    local, remote = _selected(locals_, "localSelectors"), _selected(remotes, "remoteSelectors")
    if added != Call("Add-VpnS2SInterface", {}, "tunnel"):
        raise BadFileError(f"no interface is added: {added}")
    table = _table(tunnel)
    name, gateway = _text(table["Name"]), _address(table["Destination"])
    if not _NAME.fullmatch(name):
        raise BadFileError(f"no name: {name}")
    _route(table, remote)
    starts = _around(around, name, gateway)
    if (table["Persistent"], table["AutoConnectEnabled"]) != (starts, starts):
        raise BadFileError(f"persistent, but not connected, or the other way round: {table}")
    cipher = _word(table["CipherTransformConstants"], _CIPHERS)
    return Understood(
        version=2,
        ike_encryption=_word(table["EncryptionMethod"], _ENCRYPTION),
        ike_integrity=_word(table["IntegrityCheckMethod"], _INTEGRITY),
        ike_dh=_word(table["DHGroup"], _GROUPS),
        ike_seconds=_number(table["MMSALifeTimeSeconds"], 300, 17_279_999),
        esp_encryption=cipher,
        esp_integrity=_integrity(table),
        pfs=_word(table["PfsGroup"], _PFS),
        esp_seconds=_number(table["SALifeTimeSeconds"], 300, 17_279_999),
        esp_kb=_number(table["SADataSizeForRenegotiationKilobytes"], 1_024, 2**32 - 1),
        local_address=_address(table["SourceIpAddress"]),
        remote_address=gateway,
        psk=_text(table["SharedSecret"]),
        pairs=((local, remote),),
        dpd=_dpd(table["NetworkOutageTimeSeconds"]),
        starts=starts,
    )


def _table(statement: Statement) -> Table:
    """The settings of the interface, all of them and no others."""
    if not isinstance(statement, Assignment) or statement.name != "tunnel":
        raise BadFileError(f"no settings: {statement}")
    table = statement.value
    if not isinstance(table, dict) or table.keys() - _ROUTES.keys() != _FREE | _FIXED.keys():
        raise BadFileError("settings are missing, or nobody knows them")
    for name, value in _FIXED.items():
        if table[name] != value or type(table[name]) is not type(value):
            raise BadFileError(f"{name} = {table[name]}")
    return table


def _selected(statement: Statement, name: str) -> str:
    """The one range: several would be offered for one SA, and the VPN gateway makes one for each pair."""
    if not isinstance(statement, Assignment) or statement.name != name:
        raise BadFileError(f"no {name}: {statement}")
    if not isinstance(statement.value, list) or len(statement.value) != 1:
        raise BadFileError(f"not one range: {statement}")
    return _selector(statement.value[0])


def _selector(call: Value) -> str:
    if not isinstance(call, Call) or call.command != "New-VpnTrafficSelector" or call.splatted:
        raise BadFileError(f"no selector: {call}")
    limits = call.parameters.get("IPAddressRange")
    if not isinstance(limits, list):
        raise BadFileError(f"no range: {call}")
    first, last = (ipaddress.ip_address(_address(limit)) for limit in limits)
    [network] = ipaddress.summarize_address_range(first, last)
    wanted = {"IPAddressRange": limits, "PortRange": [0, 65_535], "ProtocolId": 0, "TsPayloadId": 0,
              "Type": f"IPv{first.version}"}  # fmt: skip
    if call.parameters != wanted:
        raise BadFileError(f"not all of a range: {call}")
    return str(network)


def _route(table: Table, remote: str) -> None:
    """Exactly the range of the VPN gateway is routed into the tunnel."""
    [(name, values)] = [(name, table[name]) for name in _ROUTES if name in table]
    if not isinstance(values, list) or len(values) != 1:
        raise BadFileError(f"not one route: {values}")
    match = _ROUTE.fullmatch(_text(values[0]))
    if not match or match[1] != remote or ipaddress.ip_network(match[1]).version != _ROUTES[name]:
        raise BadFileError(f"no route to {remote}: {values}")


def _around(statements: list[Statement], name: str, gateway: str) -> bool:
    """Firewall rules, the address that is pinged, and the connection; whether there is a connection."""
    calls = [statement for statement in statements if isinstance(statement, Call)]
    if len(calls) != len(statements):
        raise BadFileError(f"around it: {statements}")
    starts = calls[-1:] == [Call("Connect-VpnS2SInterface", {"Name": name})]
    rules, addresses = calls[: len(calls) - starts], []
    if rules[-1].command == "New-NetIPAddress":
        addresses.append(rules.pop().parameters)
    ike = {"Protocol": "UDP", "LocalPort": [500, 4_500], "RemoteAddress": gateway}
    esp = {"Protocol": 50, "RemoteAddress": gateway}
    wanted = [_rule(name, "IKE", ike), _rule(name, "ESP", esp)]
    for parameters in addresses:
        asked = ipaddress.ip_address(_address(parameters["IPAddress"]))
        interface = _text(parameters["InterfaceAlias"])
        if parameters != {
            "InterfaceAlias": interface, "IPAddress": str(asked), "PrefixLength": asked.max_prefixlen,
            "SkipAsSource": True,
        }:  # fmt: skip
            raise BadFileError(f"more than an address: {parameters}")
        asking = _address(rules[-1].parameters["RemoteAddress"])
        kind, echo = ("ICMPv4", 8) if asked.version == 4 else ("ICMPv6", 128)
        ping = {
            "Protocol": kind,
            "IcmpType": echo,
            "LocalAddress": str(asked),
            "RemoteAddress": asking,
        }
        wanted.append(_rule(name, "ping", ping))
    if rules != wanted:
        raise BadFileError(f"around it: {rules}")
    return starts


def _rule(name: str, what: str, said: Mapping[str, Any]) -> Call:
    names = {"Name": f"{name}-{what.lower()}", "DisplayName": f"{name} {what}"}
    return Call("New-NetFirewallRule", {**names, "Direction": "Inbound", "Action": "Allow", **said})


def _integrity(table: Table) -> str | None:
    cipher, transform = table["CipherTransformConstants"], table["AuthenticationTransformConstants"]
    if str(cipher).startswith("GCM"):
        if transform != cipher:
            raise BadFileError(f"{cipher} with {transform}")
        return None
    return _word(transform, _TRANSFORMS)


def _dpd(outage: Value) -> bool:
    """900 s is the longest that there is, and stands for none; what is agreed is a minute at most."""
    if outage not in _OUTAGES or isinstance(outage, bool):
        raise BadFileError(f"no time of an outage: {outage}")
    return outage != 900


def _word(value: Value, words: Mapping[str, str]) -> str:
    if not isinstance(value, str) or value not in words:
        raise BadFileError(f"{value} is none of {list(words)}")
    return words[value]


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise BadFileError(f"no text: {value}")
    return value


def _number(value: Value, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadFileError(f"{value} is not {low} to {high}")
    return value


def _address(value: Value) -> str:
    text = _text(value)
    if str(ipaddress.ip_address(text)) != text:
        raise BadFileError(f"another way to write an address: {text}")
    return text
