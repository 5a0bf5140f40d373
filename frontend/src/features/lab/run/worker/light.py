# What Brython lacks of a program's surroundings, before the harness begins. `host` is light.ts.
# It must leave behind what CPython would: nothing here is for learners to see.


def room():
    import builtins
    import sys

    host = __BRYTHON__.banyan

    class Out:
        encoding = "utf-8"
        errors = "strict"
        closed = False
        newlines = None
        line_buffering = False

        def __init__(self, fd, name):
            self.fd, self.name, self.mode = fd, name, "w"

        def write(self, text):
            if not isinstance(text, str):
                raise TypeError("write() argument must be str, not %s" % type(text).__name__)
            host.print(self.fd, text)
            return len(text)

        def writelines(self, lines):
            for line in lines:
                self.write(line)

        def flush(self):
            pass

        def isatty(self):
            return False

        def writable(self):
            return True

        def readable(self):
            return False

        def fileno(self):
            return self.fd

        def reconfigure(self, **options):
            pass

    class In:
        encoding = "utf-8"
        name, mode, closed = "<stdin>", "r", False

        def read(self, size=-1):
            return host.read_stdin(size)

        def readline(self, size=-1):
            return host.read_stdin_line()

        def readlines(self, hint=-1):
            return list(self)

        def __iter__(self):
            return iter(self.readline, "")

        def isatty(self):
            return False

        def fileno(self):
            return 0

    sys.stdout = sys.__stdout__ = Out(1, "<stdout>")
    sys.stderr = sys.__stderr__ = Out(2, "<stderr>")
    sys.stdin = sys.__stdin__ = In()

    def ask(prompt="", /):
        sys.stdout.write(str(prompt))
        line = sys.stdin.readline()
        if not line:
            raise EOFError("EOF when reading a line")
        return line[:-1] if line.endswith("\n") else line

    builtins.input = ask

    # The system, as far as programs for labs look at it.
    import posix

    def no_file(name):
        return FileNotFoundError(44, "No such file or directory", name)

    def plain(path):
        if hasattr(path, "__fspath__"):
            path = path.__fspath__()
        if isinstance(path, bytes):
            path = path.decode()
        if not isinstance(path, str):
            raise TypeError("expected str, bytes or os.PathLike object, not " + type(path).__name__)
        parts = []
        for part in path.split("/"):
            if part == "..":
                del parts[-1:]
            elif part not in ("", "."):
                parts.append(part)
        return "/".join(parts)

    def listdir(path="."):
        if plain(path):
            raise no_file(path)
        return list(host.names())

    def remove(path):
        if not host.remove(plain(path)):
            raise no_file(path)

    def rename(old, new):
        if not host.rename(plain(old), plain(new)):
            raise no_file(old)

    class Stat:
        def __init__(self, name):
            self.st_mode = 0o040755 if name == "" else 0o100644
            self.st_size = host.size(name) if name else 0
            self.st_mtime = self.st_ctime = self.st_atime = 0.0
            self.st_ino = self.st_dev = self.st_uid = self.st_gid = 0
            self.st_nlink = 1

    def stat(path, *, dir_fd=None, follow_symlinks=True):
        name = plain(path)
        if name and host.size(name) < 0:
            raise no_file(path)
        return Stat(name)

    posix.write = lambda fd, data: host.write(fd, data)
    posix._exit = lambda code: host.leave(code)
    posix.listdir, posix.remove, posix.unlink = listdir, remove, remove
    posix.rename = posix.replace = rename
    posix.stat = posix.lstat = stat
    posix.getcwd = lambda: "/"
    posix.urandom = lambda size: host.chance(size)

    import _json

    _json.encode_basestring_ascii = lambda text: host.quote(text)

    import io
    import os

    os.getcwd = posix.getcwd
    os.environ.clear()

    # Files: what is open is a string or bytes in memory, and goes back to the host when it is flushed.
    def store(file, name, data):
        if not host.store(name, data):
            raise OSError(51, "No space left on device", name)

    class Text(io.StringIO):
        def __init__(self, name, mode, text):
            super().__init__(text)
            self.name, self.mode, self.encoding = name, mode, "utf-8"
            self._to = plain(name) if mode != "r" else None
            self._reads = "r" in mode or "+" in mode
            if "a" in mode:
                self.seek(0, 2)

        def read(self, *args):
            if not self._reads:
                raise io.UnsupportedOperation("not readable")
            return super().read(*args)

        def write(self, text):
            if self._to is None:
                raise io.UnsupportedOperation("not writable")
            if not isinstance(text, str):
                raise TypeError("write() argument must be str, not %s" % type(text).__name__)
            return super().write(text)

        def flush(self):
            if self._to is not None and not self.closed:
                store(self, self._to, self.getvalue())

        def close(self):
            if not self.closed:
                self.flush()
                super().close()

        def __enter__(self):
            return self

        def __exit__(self, *args):
            self.close()

        def readable(self):
            return self._reads

        def writable(self):
            return self._to is not None

    class Binary(io.BytesIO):
        def __init__(self, name, mode, data):
            super().__init__(data)
            self.name, self.mode = name, mode
            self._to = plain(name) if mode != "rb" else None
            if "a" in mode:
                self.seek(0, 2)

        def write(self, data):
            if self._to is None:
                raise io.UnsupportedOperation("write")
            return super().write(data)

        def flush(self):
            if self._to is not None and not self.closed:
                store(self, self._to, self.getvalue())

        def close(self):
            if not self.closed:
                self.flush()
                super().close()

        def __enter__(self):
            return self

        def __exit__(self, *args):
            self.close()

    def open(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
        name = plain(file)
        kind = "".join([c for c in mode if c not in "bt"])
        if kind not in ("r", "w", "a", "x", "r+", "w+", "a+", "x+", "+r", "+w", "+a", "+x") or "b" in mode and "t" in mode:
            raise ValueError("invalid mode: %r" % mode)
        binary = "b" in mode
        there = host.size(name) >= 0
        if name == "":
            raise IsADirectoryError(31, "Is a directory", file)
        if "r" in kind and not there:
            raise no_file(file)
        if "x" in kind and there:
            raise FileExistsError(20, "File exists", file)
        fresh = not there or "w" in kind
        if "r" not in kind and fresh:
            store(None, name, "")
        if binary:
            return Binary(file, mode, b"" if fresh else host.read_bytes(name))
        text = "" if fresh else host.read_text(name, str(encoding or "utf-8").lower())
        if text is None:
            host.read_bytes(name).decode(encoding or "utf-8", errors or "strict")
            raise UnicodeError("the file is not text")
        if newline is None and "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return Text(file, mode, text)

    builtins.open = io.open = open

    # Brython's own lie elsewhere, or cannot be made.
    import collections
    import _collections

    for name in ("OrderedDict", "defaultdict"):
        setattr(_collections, name, getattr(collections, name))

    def new_deque(cls, iterable=(), maxlen=None):
        self = object.__new__(cls)
        self.clear()
        return self

    _collections.deque.__new__ = new_deque

    import time

    time.time_ns = lambda: int(host.now()) * 1000000
    time.time = lambda: host.now() / 1000
    time.monotonic = time.perf_counter = lambda: host.steady() / 1000
    time.monotonic_ns = time.perf_counter_ns = lambda: int(host.steady()) * 1000000
    time.process_time, time.process_time_ns = time.monotonic, time.monotonic_ns
    time.timezone, time.altzone, time.daylight, time.tzname = 0, 0, 0, ("UTC", "UTC")

    # Compiled once here, so that the first program does not wait for it.
    compile("def f(a):\n    return [x for x in a]\n", "<warm>", "exec")


room()
