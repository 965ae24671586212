"""Sign-in through the organisation's identity provider: OpenID Connect, authorisation code with PKCE.

    browser ─▶ /sign-in/oidc ─▶ provider ─▶ /sign-in/oidc/callback ─▶ code + verifier ─▶ ID token ─▶ session

What the provider says is believed only after the ID token's signature (asymmetric algorithms alone: a token signed
with the public key as an HMAC secret, or not signed, is refused), issuer, audience, nonce and times were checked.
The client secret goes to the token endpoint and nowhere else. Sources: OpenID Connect Core 1.0, 3.1; RFC 7636 (PKCE),
RFC 9207 (issuer in the answer), RFC 9700 (current practice).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from json import JSONDecodeError
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx2
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from serving.access import sight_fits
from serving.auth import Invitation, same_token, sha256
from serving.settings import Settings
from serving.store_people import Sight

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384")
LEEWAY_SECONDS = 60
OLDEST_TOKEN = timedelta(minutes=10)
FLOW_TIME = timedelta(minutes=10)
KEEP_KEYS = timedelta(hours=1)
ASK_AGAIN = timedelta(seconds=30)
"""An unknown key is looked for once, and then not again for so long: a flood of made-up keys asks the provider once."""

TIMEOUT_SECONDS = 5.0
MOST_BYTES = 1_000_000


class RefusedError(Exception):
    """The provider's answer is not believed; ``why`` is one short word for the audit log, never a value."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class ProviderAwayError(Exception):
    """The provider does not answer, or not in a form that can be used."""


@dataclass(frozen=True)
class Flow:
    """What is kept while the person is at the provider; browser and state are only known as hashes."""

    browser_sha256: str
    state_sha256: str
    nonce: str
    verifier: str
    purpose: str
    until: datetime


class Provider:
    """The identity provider: its addresses and keys, fetched when needed and kept for an hour."""

    def __init__(self, settings: Settings, client: httpx2.Client) -> None:
        self.settings = settings
        self.issuer = str(settings.oidc_issuer)
        self.client_id = str(settings.oidc_client_id)
        self._client = client
        self._turn = threading.Lock()
        self._facts: dict[str, Any] = {}
        self._keys: jwk.KeySet | None = None
        self._fetched_at: datetime | None = None

    def facts(self, *, now: datetime) -> dict[str, Any]:
        """Return what the provider says of itself; raises ``ProviderAwayError``."""
        with self._turn:
            if not self._facts or self._fetched_at is None or now - self._fetched_at > KEEP_KEYS:
                self._fetch(now=now)
            return self._facts

    def keys(self, kid: str | None, *, now: datetime) -> jwk.KeySet:
        """Return the provider's keys, fetched anew when ``kid`` is not among them."""
        self.facts(now=now)
        with self._turn:
            known = self._keys is not None and (kid is None or any(key.kid == kid for key in self._keys))
            if not known and (self._fetched_at is None or now - self._fetched_at > ASK_AGAIN):
                self._fetch(now=now)
            if self._keys is None:
                raise ProviderAwayError("no keys")
            return self._keys

    def _fetch(self, *, now: datetime) -> None:
        facts = self._json("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if facts.get("issuer") != self.issuer:
            raise ProviderAwayError("the provider says that it is somebody else")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not self._usable(facts.get(name)):
                raise ProviderAwayError(f"no usable {name}")
        self._keys = _key_set(self._json("GET", facts["jwks_uri"]))
        self._facts, self._fetched_at = facts, now

    def _usable(self, address: object) -> bool:
        """Whether an address of the provider may be used: HTTPS, unless the provider itself is not (local mode)."""
        allowed = {"https"} if self.issuer.startswith("https://") else {"https", "http"}
        return isinstance(address, str) and urlsplit(address).scheme in allowed

    def exchange(self, code: str, flow: Flow, *, redirect_uri: str, now: datetime) -> str:
        """Return the ID token for a code; raises ``RefusedError`` when the provider does not take the code."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        form |= {"client_id": self.client_id, "code_verifier": flow.verifier}
        secret = self.settings.oidc_client_secret
        # RFC 6749, 2.3.1: both halves are form-encoded before they become a basic header.
        basic = (quote(self.client_id, safe=""), quote(secret.get_secret_value(), safe="")) if secret else None
        answer = self._json("POST", self.facts(now=now)["token_endpoint"], form=form, basic=basic)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise RefusedError("no_token")
        return token

    def _json(
        self, method: str, address: str, *, form: Mapping[str, str] | None = None, basic: tuple[str, str] | None = None
    ) -> dict[str, Any]:
        auth = httpx2.BasicAuth(*basic) if basic else None
        body, size = bytearray(), 0
        try:
            with self._client.stream(method, address, data=form, auth=auth) as answer:
                for part in answer.iter_bytes():
                    size += len(part)
                    if size > MOST_BYTES:
                        raise ProviderAwayError("too long an answer")
                    body += part
            found = httpx2.Response(200, content=bytes(body)).json()
        except (httpx2.HTTPError, httpx2.InvalidURL, JSONDecodeError, UnicodeDecodeError) as error:
            raise ProviderAwayError(type(error).__name__) from None
        if answer.status_code in (400, 401, 403) and method == "POST":
            raise RefusedError("code_refused")
        if answer.status_code != 200 or not isinstance(found, dict):
            raise ProviderAwayError(f"answered {answer.status_code}")
        return found


def provider_of(settings: Settings) -> Provider | None:
    """Return the provider of this installation; nothing is fetched before somebody signs in."""
    if settings.oidc_issuer is None:
        return None
    return Provider(settings, httpx2.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False))


def _key_set(found: Mapping[str, Any]) -> jwk.KeySet:
    """Return the keys that may sign: RSA and elliptic curves. A shared secret in a public list is not one."""
    keys = []
    listed = found.get("keys")
    for one in listed if isinstance(listed, list) else []:
        if not isinstance(one, dict) or one.get("kty") not in ("RSA", "EC") or one.get("use", "sig") != "sig":
            continue
        try:
            keys.append(jwk.import_key(one))
        except (JoseError, ValueError):
            continue  # a kind of key that we do not know is not a reason to refuse the others
    return jwk.KeySet(keys)


def begin(provider: Provider, purpose: str, *, redirect_uri: str, now: datetime) -> tuple[Flow, str, str]:
    """Return what to keep, the browser's token, and the provider's address to go to."""
    browser, state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "scope": provider.settings.oidc_scopes,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    address = provider.facts(now=now)["authorization_endpoint"]
    joint = "&" if urlsplit(address).query else "?"
    flow = Flow(sha256(browser), sha256(state), nonce, verifier, purpose, now + FLOW_TIME)
    return flow, browser, f"{address}{joint}{urlencode(asked)}"


def finish(
    provider: Provider, flow: Flow, answer: Mapping[str, str], *, redirect_uri: str, now: datetime
) -> Mapping[str, Any]:
    """Return the claims about the person; raises ``RefusedError`` or ``ProviderAwayError``."""
    if not same_token(sha256(answer.get("state", "")), flow.state_sha256):
        raise RefusedError("state")
    said = answer.get("iss")
    must_say = provider.facts(now=now).get("authorization_response_iss_parameter_supported") is True
    if said != provider.issuer and (said is not None or must_say):
        raise RefusedError("issuer")
    if "error" in answer or not answer.get("code"):
        raise RefusedError("provider_said_no")
    token = provider.exchange(answer["code"], flow, redirect_uri=redirect_uri, now=now)
    return checked(provider, token, nonce=flow.nonce, now=now)


def checked(provider: Provider, token: str, *, nonce: str, now: datetime) -> Mapping[str, Any]:
    """Return the claims of an ID token that holds in every respect; raises ``RefusedError``."""
    try:
        decoded = jwt.decode(token, lambda unread: _key_for(provider, unread, now=now), algorithms=ALGORITHMS)
    except (JoseError, ValueError, TypeError) as error:
        raise RefusedError(f"token_{type(error).__name__}"[:40]) from None
    claims = decoded.claims
    rules = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        rules.validate(claims)
    except JoseError as error:
        raise RefusedError(f"claim_{getattr(error, 'claim', None) or type(error).__name__}"[:40]) from None
    audience = claims["aud"]
    several = isinstance(audience, list) and len(audience) > 1
    if (several or "azp" in claims) and claims.get("azp") != provider.client_id:
        raise RefusedError("claim_azp")
    if now.timestamp() - float(claims["iat"]) > OLDEST_TOKEN.total_seconds():
        raise RefusedError("claim_iat")
    return claims


def _key_for(provider: Provider, unread: Any, *, now: datetime) -> Any:
    kid = unread.headers().get("kid")
    keys = provider.keys(kid if isinstance(kid, str) else None, now=now)
    if isinstance(kid, str):
        return keys.get_by_kid(kid)
    if len(keys.keys) != 1:
        raise ValueError("the token does not say which key it was signed with")
    return keys.keys[0]


def member(claims: Mapping[str, Any], settings: Settings) -> Invitation:
    """Return whom the claims let in: the first role of ``oidc_roles`` that one of their groups has.

    Raises ``RefusedError`` when there is none, or when the role needs to know a department or an employee's number
    that the provider does not tell: a missing claim never means all.
    """
    groups = claims.get(settings.oidc_role_claim)
    mine = {groups} if isinstance(groups, str) else set(groups) if isinstance(groups, list) else set()
    role = next((role for group, role in settings.oidc_roles.items() if group in mine), None)
    if role is None:
        raise RefusedError("no_role")
    employee_id = _text(claims.get(settings.oidc_employee_claim))
    if role == "hr":
        sight = Sight("everyone")
    elif role == "hr_partner":
        sight = Sight("department", _text(claims.get(settings.oidc_department_claim)))
    elif role == "manager":
        sight = Sight("manager", employee_id)
    elif role == "analyst":
        sight = Sight("everyone")
    elif role == "employee":
        sight = Sight("self", employee_id)
    else:
        sight = Sight("nobody")
    if not sight_fits(role, sight):
        raise RefusedError("sight_missing")
    name = _text(claims.get("name")) or _text(claims.get("preferred_username")) or str(claims["sub"])
    identity = f"provider {provider_subject(settings, claims)}"
    return Invitation(name[:100], role, sight, identity[:300], employee_id)


def provider_subject(settings: Settings, claims: Mapping[str, Any]) -> str:
    """Return what is the same at each sign-in of a person: issuer and subject together."""
    return sha256(f"{settings.oidc_issuer}|{claims['sub']}")


def _text(value: object) -> str | None:
    return value.strip()[:200] if isinstance(value, str) and value.strip() else None
