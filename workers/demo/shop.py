"""The shop that the demo releases: two tiny web applications, as containers or as processes."""

import textwrap
from pathlib import Path

from workers.demo.images import Image, build

COMPONENTS = ("web", "api")
BROKEN = "1.2.0"
"""Answers 500, but only under prod's configuration (GREETING=bonjour)."""

_SERVE = """\
    import http.server, os, pathlib

    VERSION = pathlib.Path(__file__).with_name("VERSION").read_text()

    class Shop(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            broken = "{broken}" == VERSION.split()[-1] and os.environ.get("GREETING") == "bonjour"
            self.send_response(500 if broken else 200)
            self.end_headers()
            self.wfile.write((os.environ.get("GREETING", "hello") + " from " + VERSION).encode())

        def log_message(self, *words):
            pass

    print("listening on", os.environ["PORT"], flush=True)
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop).serve_forever()
"""

_CGI = """\
    #!/bin/busybox sh
    shop=$(/bin/busybox cat /srv/VERSION)
    if [ "$shop" = "{component} {broken}" ] && [ "$GREETING" = bonjour ]; then printf 'Status: 500 Broken\\r\\n'; fi
    printf 'Content-Type: text/plain\\r\\n\\r\\n%s from %s' "$GREETING" "$shop"
"""

_START = b"""\
#!/bin/busybox sh
# httpd alone would be process 1, to which the kernel passes no TERM: every stop would take its whole grace.
trap 'kill $!; exit 0' TERM
/bin/busybox httpd -f -p "${PORT:-8080}" -h /srv/www &
wait $!
"""


def process_image(component: str, version: str) -> Image:
    """A Python web server; `serve.py` lies in the tree."""
    files = {
        "serve.py": textwrap.dedent(_SERVE).format(broken=BROKEN).encode(),
        "VERSION": f"{component} {version}".encode(),
    }
    return build(files, ["python3", "serve.py"])


def container_image(component: str, version: str, busybox: Path) -> Image:
    """Static busybox with its httpd and one CGI script."""
    files = {
        "bin/busybox": busybox.read_bytes(),
        "serve": _START,
        "srv/VERSION": f"{component} {version}".encode(),
        "srv/www/cgi-bin/healthz": textwrap.dedent(_CGI).format(component=component, broken=BROKEN).encode(),
    }
    return build(files, ["/serve"])
