"""A small OpenID Connect provider that lets everybody in, for as long as a test needs it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

SUBJECT = "17"
NAME = "Ann **O'Id**"


@contextmanager
def provider(client_id: str) -> Iterator[str]:
    """A running provider; gives its address."""
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    key = RSAKey.generate_key(2048, {"kid": "k"}, private=True)
    asked: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place = urlsplit(self.path)
            if place.path == "/authorize":
                query = {name: values[0] for name, values in parse_qs(place.query).items()}
                asked.update(query)
                self.send_response(302)
                self.send_header(
                    "Location", f"{query['redirect_uri']}?{urlencode({'code': 'c', 'state': query['state']})}"
                )
                self.end_headers()
            elif place.path == "/jwks":
                self._json({"keys": [key.as_dict(private=False)]})
            else:
                ends = {"authorization": "authorize", "token": "token"}
                self._json(
                    {"issuer": url, "jwks_uri": f"{url}/jwks", "id_token_signing_alg_values_supported": ["RS256"]}
                    | {f"{name}_endpoint": f"{url}/{end}" for name, end in ends.items()}
                )

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            claims = {"iss": url, "sub": SUBJECT, "aud": client_id, "name": NAME, "nonce": asked.get("nonce", "")}
            token = jwt.encode(
                {"alg": "RS256", "kid": "k"}, claims | {"iat": int(time.time()), "exp": int(time.time()) + 600}, key
            )
            self._json({"access_token": "a", "token_type": "Bearer", "expires_in": 600, "id_token": token})

        def _json(self, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield url
    finally:
        server.shutdown()
        server.server_close()
