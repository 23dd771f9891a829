"""A gateway that makes tokens: the documents that say how to check them, and the tokens."""
import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from watchdog_helpers import free_port


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    def __init__(self, kid):
        self.kid = kid
        self.private = ec.generate_private_key(ec.SECP256R1())

    def jwk(self):
        n = self.private.public_key().public_numbers()
        return {"kty": "EC", "kid": self.kid, "crv": "P-256", "x": b64(n.x.to_bytes(32, "big")),
                "y": b64(n.y.to_bytes(32, "big")), "alg": "ES256", "use": "sig"}

    def sign(self, claims):
        header = {"alg": "ES256", "typ": "JWT", "kid": self.kid}
        data = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
        r, s = decode_dss_signature(self.private.sign(data.encode(), ec.ECDSA(hashes.SHA256())))
        return data + "." + b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


class Issuer:
    """Listens unless start=False. What it was asked is in asked, the User-Agents in agents."""

    def __init__(self, start=True):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.keys = [Key("first")]
        self.extra_keys = []
        self.asked, self.agents = [], set()
        self.free = threading.Event()  # cleared: answers are held back
        self.free.set()
        self.server = None
        if start:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.free.set()
        self.stop()

    def start(self):
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked.append(self.path)
                issuer.agents.add(self.headers["User-Agent"])
                issuer.free.wait(30)
                doc = issuer.document(self.path)
                body = json.dumps(doc).encode()
                self.send_response(200 if doc else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # who asked is gone

        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def document(self, path):
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": self.url + "/keys"}
        if path == "/keys":
            return {"keys": [key.jwk() for key in self.keys] + self.extra_keys}
        return None

    def fetches(self):
        """How often the keys were asked for."""
        return self.asked.count("/keys")

    def rotate(self, kid):
        self.keys = [Key(kid)]

    def claims(self, **changed):
        now = time.time()
        claims = {"iss": self.url, "aud": [self.url], "exp": now + 60, "nbf": now - 5,
                  "function": {"permissions": ["dev:*"]}, **changed}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, key=None, **changed):
        return (key or self.keys[0]).sign(self.claims(**changed))
