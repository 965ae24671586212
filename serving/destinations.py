"""Where a webhook may go: never to an address inside, whatever its name says or its DNS answers a moment later.

The name is looked up once, every address it has is judged, and the connection is made to the address that was judged.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

CARRIERS = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
"""IPv6 that a gateway turns into the IPv4 address in its last 32 bits."""

ANSWER_BYTES = 4_096
SECONDS = 15.0


class RefusedError(Exception):
    """Nothing may be sent there; the text says why and names no address."""


@dataclass(frozen=True)
class Destination:
    """A judged place: the address to connect to, and the name that its certificate has to bear."""

    scheme: str
    host: str
    port: int
    path: str
    address: str


def networks(allowed: Sequence[str]) -> tuple[Network, ...]:
    """Return the networks that the deployer opens for webhooks; ``ValueError`` for what is none."""
    return tuple(ipaddress.ip_network(one) for one in allowed)


def judged(url: str, *, allowed: Sequence[Network] = ()) -> Destination:
    """Return where to connect, or raise ``RefusedError``. Without TLS only to this very computer."""
    parts, host, port = _plain(url)
    addresses = _addresses(host)
    wrong = [one for one in addresses if not (is_public(one) or any(one in network for network in allowed))]
    if wrong or not addresses:
        raise RefusedError("inside, or unknown")
    if parts.scheme == "http" and not all(one.is_loopback for one in addresses):
        raise RefusedError("https only")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path, str(addresses[0]))


def _plain(url: str) -> tuple[SplitResult, str, int | None]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise RefusedError("not an address") from None
    if parts.scheme not in ("https", "http") or not host or parts.username or parts.password or parts.fragment:
        raise RefusedError("not a plain https address")
    return parts, host, port


def plausible(url: str, *, allowed: Sequence[Network] = ()) -> None:
    """Refuse what can be refused without asking anybody for an address: the form, and addresses written as numbers."""
    parts, host, _ = _plain(url)
    if parts.scheme == "http" and not any(network.is_loopback for network in allowed):
        raise RefusedError("https only")
    number = _number(host)
    if number is not None and not (is_public(number) or any(number in network for network in allowed)):
        raise RefusedError("inside")
    if number is None and host.rstrip(".").lower().endswith("localhost") and not allowed:
        raise RefusedError("inside")


def _number(host: str) -> Address | None:
    """Return the address that the host is written as, in any of the forms that a resolver takes (127.1, 0x7f000001)."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def is_public(address: Address) -> bool:
    """Whether the address, and any IPv4 address that it carries, is reachable from everywhere and means one host."""
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if any(address in network for network in CARRIERS):
            carried = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if carried is not None:
            return is_public(carried)
        if address.is_site_local or address.scope_id:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _addresses(host: str) -> list[Address]:
    """Return every address of the host as the system's resolver sees it, so that 2130706433 is what it stands for."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [ipaddress.ip_address(one) for one in dict.fromkeys(str(entry[4][0]) for entry in found)]


def post(to: Destination, body: bytes, headers: Mapping[str, str]) -> int:
    """Send, and return the status. Redirects are not followed, no proxy is asked, the answer is not read to its end.

    Raises ``OSError`` or ``http.client.HTTPException`` when nothing usable comes back in time.
    """
    plain = http.client.HTTPConnection(to.host, to.port, timeout=SECONDS)
    sock = socket.create_connection((to.address, to.port), timeout=SECONDS)
    try:
        if to.scheme == "https":
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=to.host)
        plain.sock = sock
        plain.request("POST", to.path, body=body, headers=dict(headers))
        answer = plain.getresponse()
        answer.read(ANSWER_BYTES)
        return answer.status
    finally:
        plain.close()
        sock.close()
