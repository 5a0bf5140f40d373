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

    def leave(status=None, /):
        raise SystemExit(status) if status is not None else SystemExit

    sys.exit = leave

    # A worker's stack is full after some 800 calls of Python, and then nothing can be said properly.
    __BRYTHON__.recursion_limit = 600
    sys.setrecursionlimit = lambda limit, /: None
    sys.getrecursionlimit = lambda: 1000

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

    __BRYTHON__.curdir = "/"

    def unsupported(what):
        import io

        return io.UnsupportedOperation(what)

    # What is open is a text or bytes in memory, and goes back to the host when it is flushed or closed.
    class File:
        """An open file; text or bytes, which have the same methods here."""

        closed = False
        errors = "strict"
        newlines = None

        def __init__(self, name, mode, data, empty, newline):
            self.name, self.mode, self._data, self._empty, self._newline = name, mode, data, empty, newline
            if "b" not in mode:
                self.encoding = "utf-8"
            self._reads = "r" in mode or "+" in mode
            self._to = plain(name) if mode.strip("bt") != "r" else None
            self._at = len(data) if "a" in mode else 0
            self._dirty = False

        def _open(self):
            if self.closed:
                raise ValueError("I/O operation on closed file.")

        def read(self, size=-1):
            self._open()
            if not self._reads:
                raise unsupported("not readable")
            start = self._at
            self._at = len(self._data) if size is None or size < 0 else min(start + size, len(self._data))
            return self._data[start:self._at]

        def readline(self, size=-1):
            self._open()
            if not self._reads:
                raise unsupported("not readable")
            start = self._at
            end = self._data.find(self._newline, start) + 1 or len(self._data)
            self._at = max(start, end)
            return self._data[start:self._at]

        def readlines(self, hint=-1):
            return list(self)

        def __iter__(self):
            self._open()
            return self

        def __next__(self):
            line = self.readline()
            if not line:
                raise StopIteration
            return line

        def write(self, data):
            self._open()
            if self._to is None:
                raise unsupported("not writable")
            if isinstance(self._empty, str) and not isinstance(data, str):
                raise TypeError("write() argument must be str, not " + type(data).__name__)
            if isinstance(self._empty, bytes):
                if isinstance(data, str):
                    raise TypeError("a bytes-like object is required, not 'str'")
                data = bytes(data)
            at = len(self._data) if "a" in self.mode else self._at
            if at == len(self._data):
                self._data += data
            else:
                self._data = self._data[:at] + data + self._data[at + len(data):]
            self._at = at + len(data)
            self._dirty = True
            return len(data)

        def writelines(self, lines):
            for line in lines:
                self.write(line)

        def seek(self, offset, whence=0):
            self._open()
            self._at = max(0, offset + (0 if whence == 0 else self._at if whence == 1 else len(self._data)))
            return self._at

        def tell(self):
            return self._at

        def truncate(self, size=None):
            self._open()
            self._data = self._data[:self._at if size is None else size]
            self._dirty = True
            return len(self._data)

        def flush(self):
            self._open()
            if self._dirty:
                self._dirty = False
                if not host.store(self._to, self._data):
                    raise OSError(51, "No space left on device", self.name)

        def close(self):
            if not self.closed:
                try:
                    self.flush()
                finally:
                    self.closed = True

        def __enter__(self):
            self._open()
            return self

        def __exit__(self, *args):
            self.close()

        def readable(self):
            return self._reads

        def writable(self):
            return self._to is not None

        def seekable(self):
            return True

        def isatty(self):
            return False

    opened = []

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
        if "r" not in kind and fresh and not host.store(name, ""):
            raise OSError(51, "No space left on device", file)
        if binary:
            return keep(File(file, mode, b"" if fresh else host.read_bytes(name), b"", b"\n"))
        text = "" if fresh else host.read_text(name, str(encoding or "utf-8").lower())
        if text is None:
            host.read_bytes(name).decode(encoding or "utf-8", errors or "strict")
            raise UnicodeError("the file is not text")
        if newline is None and "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return keep(File(file, mode, text, "", "\n"))

    def keep(file):
        # CPython writes out what nobody closed when nobody holds it any more; here it is done in the end.
        if file._to is not None:
            opened.append(file)
        return file

    def settle():
        for file in opened:
            try:
                file.close()
            except Exception:
                pass

    host.settle = settle

    builtins.open = open

    # As the C of CPython has them; the collections module takes these.
    import _collections

    class OrderedDict(dict):
        __module__ = "collections"

        def __repr__(self):
            return "OrderedDict(%s)" % (dict.__repr__(self) if self else "")

        def __eq__(self, other):
            if isinstance(other, OrderedDict):
                return list(self.items()) == list(other.items())
            return dict.__eq__(self, other)

        def __ne__(self, other):
            return not self == other

        def move_to_end(self, key, last=True):
            value = self.pop(key)
            rest = [] if last else list(self.items())
            if rest:
                self.clear()
            self[key] = value
            for k, v in rest:
                self[k] = v

        def popitem(self, last=True):
            if not self:
                raise KeyError("dictionary is empty")
            key = list(self)[-1 if last else 0]
            return key, self.pop(key)

        def copy(self):
            return OrderedDict(self.items())

        __copy__ = copy

        @classmethod
        def fromkeys(cls, keys, value=None):
            return cls([(key, value) for key in keys])

    _collections.OrderedDict = OrderedDict

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

    # What light.ts calls before a job has come, and when it has. What was imported ahead must not show.
    def ahead(names):
        for name in names:
            try:
                __import__(name)
            except Exception:
                pass

    host.ahead = ahead

    def reseed():
        random = sys.modules.get("random")
        if random is not None:
            random.seed()

    host.reseed = reseed

    def begin(name, source):
        try:
            exec(compile(source, name, "exec"), {"__name__": "__main__", "__builtins__": builtins})
        except BaseException as err:
            where, tb = [], err.__traceback__
            while tb is not None:
                where.append("%s:%d" % (tb.tb_frame.f_code.co_filename, tb.tb_lineno))
                tb = tb.tb_next
            return "%s: %s (%s)" % (type(err).__name__, err, " ".join(where))
        return ""

    host.begin = begin


room()
