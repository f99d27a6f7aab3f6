"""The strongswan.conf of one side of a lab."""

from __future__ import annotations

from pathlib import Path

# Everything that the catalogue of transforms needs, the forbidden ones too, and no plugin that reads the host's
# certificates, DNS or DHCP. gcrypt brings DES; gmp the short groups; kernel-libipsec is ESP in userspace.
PLUGINS = (
    "random nonce drbg aes rc2 sha1 sha2 md5 hmac kdf xcbc cmac ctr ccm gcm chapoly curve25519 gmp openssl gcrypt "
    "pem pkcs1 pubkey vici kernel-libipsec kernel-netlink socket-default counters"
)
# Packets of charon itself carry this mark, so that a remote range that holds the peer (0.0.0.0/0) does not
# send them into their own tunnel.
MARK = "0x42"


def strongswan_conf(*, vici_socket: Path, log_path: Path, settings: tuple[str, ...] = ()) -> str:
    """The text. `settings` are further lines of the section `charon`, e.g. `retransmit_tries = 2`."""
    further = "\n    ".join(settings)
    return f"""\
charon {{
    load = {PLUGINS}
    # A responder refuses aggressive mode with a pre-shared key unless it is told in these words.
    i_dont_care_about_security_and_use_aggressive_mode_psk = yes
    plugins {{
        vici {{
            socket = unix://{vici_socket}
        }}
        kernel-libipsec {{
            allow_peer_ts = yes
        }}
        kernel-netlink {{
            fwmark = !{MARK}
        }}
        socket-default {{
            fwmark = {MARK}
        }}
    }}
    filelog {{
        lab {{
            path = {log_path}
            append = yes
            flush_line = yes
            time_format = %Y-%m-%dT%H:%M:%S
            time_add_ms = yes
            ike_name = yes
            log_level = yes
            default = 1
            ike = 2
            cfg = 2
            chd = 2
        }}
    }}
    journal {{
        default = -1
    }}
    {further}
}}
swanctl {{
    load = random openssl pem pkcs1 x509
    socket = unix://{vici_socket}
}}
"""
