"""The first words to a host, as one argument of its Python: takes our program where it does not lie there yet, and becomes it.

Understood by every Python 3, so that an old one can say so. Arguments: root folder (empty: the usual one), SHA-256 and size of the program.
"""

import hashlib
import io
import os
import shutil
import sys
import zipfile


def boot(root: str, digest: str, size: int) -> None:
    """Become the program of this digest."""
    if sys.version_info < (3, 9):
        tell('{"old": "%d.%d"}' % sys.version_info[:2])
        return
    root = root or ("/var/lib/fairlead" if os.geteuid() == 0 else os.path.expanduser("~/.local/share/fairlead"))
    os.umask(0o022)
    os.makedirs(root + "/helper", exist_ok=True)
    for folder in (root, root + "/helper"):
        found = os.stat(folder)
        if found.st_uid not in (0, os.geteuid()) or found.st_mode & 0o022:
            tell('{"unsafe": true}')
            return
    path = root + "/helper/" + digest
    if not os.path.isdir(path):
        tell('{"wanted": true}')
        take(path, digest, size)
    sys.argv[:] = [path, "session", root]
    sys.path.insert(0, path)
    import runpy

    runpy.run_path(path + "/__main__.py", run_name="__main__")


def take(path: str, digest: str, size: int) -> None:
    """Take it from standard input, and not a byte more; it lies under its name when all of it is on disk."""
    content = b""
    while len(content) < size:
        piece = os.read(0, size - len(content))
        if not piece:
            sys.exit(1)
        content += piece
    if hashlib.sha256(content).hexdigest() != digest:
        sys.exit(1)
    beside = path + "." + str(os.getpid())
    try:
        zipfile.ZipFile(io.BytesIO(content)).extractall(beside)
        os.sync()
        os.rename(beside, path)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        if not os.path.isdir(path):  # else somebody else was faster, with the same bytes
            tell('{"failed": %d}' % (error.errno or 0))
            sys.exit(1)


def tell(line: str) -> None:
    """One line to the worker."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    boot(sys.argv[1], sys.argv[2], int(sys.argv[3]))
