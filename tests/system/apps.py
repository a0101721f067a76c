"""The application that these tests release: a web server that can be broken, held at its start, and made to tell a secret (TELL)."""

from workers.demo.images import Image, build

SERVE = b"""\
import http.server, os, pathlib, time

if os.environ.get("TELL"):
    print("it is", os.environ[os.environ["TELL"]], flush=True)
here = pathlib.Path(__file__).parent
while os.environ.get("GATE") and os.path.exists(os.environ["GATE"]):
    time.sleep(0.05)

class App(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500 if (here / "BROKEN").exists() else 200)
        self.end_headers()
        self.wfile.write((here / "VERSION").read_bytes())

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), App).serve_forever()
"""


def image(component: str, version: str, *, broken: bool = False) -> Image:
    """An image of its own for each component and version. A broken one starts, then answers 500."""
    files = {"serve.py": SERVE, "VERSION": f"{component} {version}".encode()}
    return build(files | ({"BROKEN": b""} if broken else {}), ["python3", "serve.py"])
