"""A small OpenID provider in a process of its own, for the tests: discovery, keys, authorisation with PKCE, tokens.

Run it as ``python provider.py CLIENT_ID CLIENT_SECRET``; it prints its address. It signs in whom the query of the
authorisation names (``login_hint``), and it lies in the way that was last asked for at ``/lie?way=…``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwk, jwt

CLIENT_ID, CLIENT_SECRET = (*sys.argv[1:], "", "")[:2]
PEOPLE: dict[str, dict[str, Any]] = {
    "lead": {"name": "Wei Lead", "groups": ["people", "hr-leads"], "employee_id": "H1"},
    "boss": {"name": "Lead of Nursing B", "groups": ["people", "managers"], "employee_id": "M1"},
    "nurse": {"name": "Li Na", "groups": ["people"], "employee_id": "E0001"},
    "partner": {"name": "Partner", "groups": ["partners"], "employee_id": "H2", "department": "Care"},
    "lost": {"name": "Partner without department", "groups": ["partners"], "employee_id": "H3"},
    "guest": {"name": "Guest", "groups": ["guests"]},
    "numberless": {"name": "Manager without number", "groups": ["managers"]},
}


class State:
    """What the provider knows and how it lies."""

    def __init__(self) -> None:
        self.issuer = ""
        self.lie = "honest"
        self.keys = [jwk.RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})]
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []


STATE = State()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def log_message(self, *_: Any) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        STATE.asked.append(address.path)
        if address.path == "/lie":
            STATE.lie = asked["way"]
            return self.tell({"lie": STATE.lie})
        if address.path == "/rotate":
            STATE.keys = [jwk.RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})]
            return self.tell({})
        if address.path == "/asked":
            return self.tell({"asked": STATE.asked})
        if address.path == "/.well-known/openid-configuration":
            return self.tell(self.facts())
        if address.path == "/keys":
            return self.tell({"keys": [key.as_dict(private=False) for key in STATE.keys]})
        if address.path == "/authorize":
            return self.authorize(asked)
        return self.tell({"error": "not_found"}, 404)

    def facts(self) -> dict[str, Any]:
        return {
            "issuer": STATE.issuer if STATE.lie != "discovery_issuer" else "https://elsewhere.example",
            "authorization_endpoint": f"{STATE.issuer}/authorize",
            "token_endpoint": f"{STATE.issuer}/token",
            "jwks_uri": f"{STATE.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    def authorize(self, asked: dict[str, str]) -> None:
        fine = asked.get("response_type") == "code" and asked.get("client_id") == CLIENT_ID
        if not fine or asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            return self.tell({"error": "invalid_request"}, 400)
        code = secrets.token_urlsafe(16)
        STATE.codes[code] = asked
        issuer = STATE.issuer if STATE.lie != "answer_issuer" else "https://elsewhere.example"
        back = {"code": code, "state": asked["state"] if STATE.lie != "state" else "made up", "iss": issuer}
        if STATE.lie == "no":
            back = {"error": "access_denied", "state": asked["state"], "iss": issuer}
        self.send_response(302)
        self.send_header("location", f"{asked['redirect_uri']}?{urlencode(back)}")
        self.end_headers()

    def do_POST(self) -> None:
        size = int(self.headers.get("content-length", "0"))
        form = {name: values[0] for name, values in parse_qs(self.rfile.read(size).decode()).items()}
        STATE.asked.append("/token")
        basic = base64.b64decode(self.headers.get("authorization", "").removeprefix("Basic ")).decode()
        if [unquote(part) for part in basic.split(":", 1)] != [CLIENT_ID, CLIENT_SECRET]:
            return self.tell({"error": "invalid_client"}, 401)
        asked = STATE.codes.pop(form.get("code", ""), None)  # a code works once
        proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode()
        if asked is None or proof.rstrip("=") != asked["code_challenge"]:
            return self.tell({"error": "invalid_grant"}, 400)
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return self.tell({"error": "invalid_grant"}, 400)
        if STATE.lie == "slow":
            time.sleep(1.5)
        if STATE.lie == "not_json":
            return self.tell("no", 200)
        token = self.token(asked)
        return self.tell({"access_token": secrets.token_urlsafe(), "token_type": "Bearer", "id_token": token})

    def token(self, asked: dict[str, str]) -> str:
        now, lie = int(time.time()), STATE.lie
        who = asked.get("login_hint", "lead")
        claims: dict[str, Any] = {"iss": STATE.issuer, "sub": f"sub-{who}", "aud": CLIENT_ID, "nonce": asked["nonce"]}
        claims |= {"iat": now, "exp": now + 300, **PEOPLE[who]}
        lies: dict[str, dict[str, Any]] = {
            "nonce": {"nonce": "made up"},
            "no_nonce": {"nonce": None},
            "expired": {"iat": now - 900, "exp": now - 600},
            "no_expiry": {"exp": None},
            "old": {"iat": now - 86_400, "exp": now + 300},
            "future": {"nbf": now + 3_600},
            "audience": {"aud": "another-client"},
            "audiences": {"aud": [CLIENT_ID, "another-client"]},
            "party": {"azp": "another-client"},
            "issuer": {"iss": "https://elsewhere.example"},
            "no_subject": {"sub": None},
        }
        claims = {name: value for name, value in {**claims, **lies.get(lie, {})}.items() if value is not None}
        key = STATE.keys[0]
        header = {"alg": "RS256", "kid": key.kid}
        if lie == "unsigned":
            return unsigned(claims)
        if lie == "hs256":  # the public key, which everybody has, as the secret of an HMAC
            said = f"{part({**header, 'alg': 'HS256'})}.{part(claims)}"
            mark = hmac.new(key.as_pem(private=False), said.encode(), hashlib.sha256).digest()
            return f"{said}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"
        if lie == "stranger":  # signed by somebody else, who claims to be the known key
            return jwt.encode(header, claims, jwk.RSAKey.generate_key(2048))
        if lie == "unknown_key":
            return jwt.encode({**header, "kid": "unheard"}, claims, jwk.RSAKey.generate_key(2048))
        token = jwt.encode(header, claims, key)
        if lie == "edited":
            head, _, mark = token.split(".")
            return f"{head}.{part({**claims, 'groups': ['hr-leads', 'all']})}.{mark}"
        return token

    def tell(self, body: Any, status: int = 200) -> None:
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def part(facts: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(facts).encode()).decode().rstrip("=")


def unsigned(claims: dict[str, Any]) -> str:
    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    STATE.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    print(STATE.issuer, flush=True)
    server.serve_forever()
