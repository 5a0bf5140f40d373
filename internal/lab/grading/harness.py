# The first room of grading. It runs the learner's code, evaluates the calls
# of a lab's checks, and tells what they gave. It does not know what they should give:
# that is judged outside (judge.go). Whoever takes this file over can make it say
# anything, and still has to guess the right values.
#
# Standard input: a nonce, a newline, and the order as JSON, written so that it
# is Python too (strings, numbers, lists and maps alone):
#   {"entry": "main.py",
#    "calls": [{"call": "f(rows)", "data": {"name": "rows", "rows": [{"a": 1}]}}],
#    "files": [names of files to look at in the end; the grader looks at them itself]}
# Standard output: what the learner's code prints; after it has loaded, a line
# with the nonce; what is printed by the calls comes after that.
# Standard error: lines that begin with the nonce:
#   first, before any learner's code runs: C and the faults of calls that do not compile;
#   last: O and {"load": null or [kind, text], "seen": [observation, ...], "files": {name: text or null}}.
# An observation is {"value": [kind, ...], "repr": text}, or
# {"raised": "ValueError: text", "classes": ["ValueError", "Exception", "BaseException"]}
# with the builtin classes of what was raised, the nearest first.


def room():
    import builtins
    import sys

    # What the learner's code may replace is kept here first.
    compile, eval, exec, len, open, repr, str, type = (
        builtins.compile, builtins.eval, builtins.exec, builtins.len,
        builtins.open, builtins.repr, builtins.str, builtins.type)
    BaseException, SyntaxError, SystemExit = (
        builtins.BaseException, builtins.SyntaxError, builtins.SystemExit)
    import posix
    import _json
    write, leave, quote = posix.write, posix._exit, _json.encode_basestring_ascii
    # Files that are not written at once. The light Python of the pages has none such, and writes its own in the end.
    buffered = []
    if sys.implementation.name == "cpython":
        import _io
        from gc import get_objects
        buffered = [_io.TextIOWrapper, _io.BufferedWriter, _io.BufferedRandom]

    MAX_DEPTH, MAX_NODES, MAX_BYTES, MAX_TOTAL, MAX_TEXT = 40, 10000, 64 << 10, 512 << 10, 400

    def send(fd, text):
        data = text.encode("utf-8", "backslashreplace")
        while data:
            data = data[write(fd, data):]

    def clip(text):
        # Slicing an exact str runs nobody's code.
        if type(text) is not str:
            return ""
        return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "\u2026"

    def show(value):
        try:
            return clip(repr(value))
        except BaseException:
            return ""

    class TooMuch(Exception):
        pass

    # A value becomes a JSON array that begins with its kind. Only exact builtin
    # types have a kind: an object of the learner's own class, whatever its
    # __eq__ says, is opaque and equals nothing.
    def encode(value, depth, left):
        left[0] -= 1
        if left[0] < 0 or left[1] < 0 or depth > MAX_DEPTH:
            raise TooMuch
        t = type(value)
        if value is None:
            return '["n"]'
        if t is bool:
            return '["b",true]' if value else '["b",false]'
        if t is int:
            if value.bit_length() > 8192:
                raise TooMuch
            return '["i","%x"]' % value
        if t is float:
            return '["f","%s"]' % float.__repr__(value)
        if t is str:
            if len(value) > left[1]:
                raise TooMuch
            text = quote(value)
            left[1] -= len(text)
            return '["s",%s]' % text
        if t is bytes or t is bytearray:
            left[1] -= 2 * len(value)
            if left[1] < 0:
                raise TooMuch
            return '["y","%s"]' % bytes.hex(bytes(value))
        if t is list or t is tuple or t is deque:
            return '["l"%s]' % "".join(["," + encode(v, depth + 1, left) for v in t.__iter__(value)])
        if t is set or t is frozenset:
            return '["e"%s]' % "".join(["," + encode(v, depth + 1, left) for v in t.__iter__(value)])
        if t is dict or t in mappings:
            out = ['["d"']
            for k, v in dict.items(value):
                out.append("," + encode(k, depth + 1, left) + "," + encode(v, depth + 1, left))
            return "".join(out) + "]"
        return '["o"]'

    total = [MAX_TOTAL]

    def counters():
        # Counter is written in Python: only who has imported it can return one.
        t = getattr(sys.modules.get("collections"), "Counter", None)
        return [t] if type(t) is type and issubclass(t, dict) else []

    def observe(value):
        try:
            mappings[2:] = counters()
            text = encode(value, 0, [MAX_NODES, MAX_BYTES])
            total[0] -= len(text)
            return text if total[0] >= 0 else '["x"]'
        except TooMuch:
            return '["x"]'
        except BaseException:
            return '["o"]'

    def name_of(t):
        try:
            return clip(type.__dict__["__name__"].__get__(t))
        except BaseException:
            return "Exception"

    # What is raised is known by the builtin classes that it is of, whatever its own class claims.
    known = [(t, n) for n, t in vars(builtins).items()
             if type(t) is type and issubclass(t, BaseException) and t.__name__ == n]
    try:
        ancestors = type.__dict__["__mro__"].__get__
    except KeyError:
        def ancestors(t):
            return t.__mro__

    def classes(err):
        try:
            names = [n for c in ancestors(type(err)) for t, n in known if t is c]
        except BaseException:
            names = []
        return '["%s"]' % '","'.join(names) if names else '["BaseException"]'

    def said(err):
        try:
            text = clip(str(err))
        except BaseException:
            text = ""
        return name_of(type(err)) + (": " + text if text else "")

    def trace(err, entry, lines):
        # Only the learner's own lines, the newest at the bottom.
        out = []
        tb = err.__traceback__
        while tb is not None:
            code = tb.tb_frame.f_code
            if code.co_filename == entry:
                n = tb.tb_lineno
                out.append('  File "%s", line %d%s' % (
                    entry, n, "" if code.co_name == "<module>" else ", in " + clip(code.co_name)))
                if 0 < n <= len(lines):
                    out.append("    " + clip(lines[n - 1].strip()))
            tb = tb.tb_next
        if len(out) > 20:
            out = out[:8] + ["  \u2026"] + out[-8:]
        return "\n".join((["Traceback (most recent call last):"] if out else []) + out + [said(err)])

    def syntax(err, entry, lines):
        n = err.lineno or 0
        out = ['  File "%s", line %d' % (entry, n)]
        if 0 < n <= len(lines):
            line = lines[n - 1]
            bare = line.lstrip()
            out.append("    " + clip(bare.rstrip()))
            at = (err.offset or 0) - (len(line) - len(bare))
            if 0 < at <= 200:
                out.append("    " + " " * (at - 1) + "^")
        out.append(name_of(type(err)) + ": " + clip(err.msg))
        return "\n".join(out)

    # The collections of the standard library hold data as builtin ones do.
    from _collections import OrderedDict, defaultdict, deque
    mappings = [OrderedDict, defaultdict]

    nonce, order = sys.stdin.read().split("\n", 1)
    # A literal of a thousand rows takes ten times as long as JSON; but to fetch json may take longer still.
    order = sys.modules["json"].loads(order) if "json" in sys.modules else eval(order)
    entry = order["entry"]

    codes, faults = [], []
    for i, call in enumerate(order["calls"]):
        text, data = call["call"], call.get("data")
        try:
            code = compile(text, "<check>", "eval")
            if data is not None:
                # As an argument the rows are seen everywhere in the call, and touch no name of the learner's.
                code = compile("lambda %s: (%s\n)" % (data["name"], text), "<check>", "eval")
            codes.append((code, data))
        except BaseException as err:
            faults.append('[%d,%s]' % (i, quote(said(err))))
    send(2, "\n%s C [%s]\n" % (nonce, ",".join(faults)))

    # The learner's file is the program: what it finds as __main__ is itself.
    module = type(sys)("__main__")
    module.__file__ = entry
    module.__builtins__ = builtins
    sys.modules["__main__"] = module
    if "/" not in sys.path:
        sys.path.append("/")
    sys.argv[:] = [entry]
    world = module.__dict__

    # Nothing waits here: time passes at once. The rest is what a program finds everywhere else.
    import time
    time.sleep = lambda seconds, /: None
    builtins.exit = builtins.quit = sys.exit

    with open("/" + entry, encoding="utf-8-sig") as f:
        source = f.read()
    lines = source.split("\n")

    problem = None
    try:
        code = compile(source, entry, "exec")
    except SyntaxError as err:
        problem = '["syntax",%s]' % quote(syntax(err, entry, lines))
    except BaseException as err:
        problem = '["syntax",%s]' % quote(said(err))
    if problem is None:
        try:
            exec(code, world)
        except MemoryError:
            problem = '["memory",""]'
        except SystemExit as err:
            problem = '["exit",%s]' % quote(trace(err, entry, lines))
        except BaseException as err:
            problem = '["error",%s]' % quote(trace(err, entry, lines))

    try:
        sys.settrace(None)
        sys.setprofile(None)
        sys.setrecursionlimit(1000)
        sys.stdout.flush()
    except BaseException:
        pass
    try:
        send(1, "\n" + nonce + "\n")
    except BaseException:
        pass  # the learner's code closed its output
    seen = []
    if problem is None:
        for code, data in codes:
            try:
                value = eval(code, world)
                if data is not None:
                    value = value(data["rows"])
                kind = observe(value)
                seen.append('{"value":%s,"repr":%s}' % (kind, quote(show(value) if kind != '["x"]' else "")))
            except BaseException as err:
                seen.append('{"raised":%s,"classes":%s}' % (quote(said(err)), classes(err)))
    files = []
    for name in order["files"]:
        try:
            with open("/" + name, encoding="utf-8", errors="replace", newline="") as f:
                files.append('%s:%s' % (quote(name), quote(f.read(MAX_BYTES))))
        except BaseException:
            files.append('%s:null' % quote(name))
    send(2, "\n%s O {\"load\":%s,\"seen\":[%s],\"files\":{%s}}\n" % (
        nonce, problem or "null", ",".join(seen), ",".join(files)))
    # What a file that nobody closed still holds in its buffer is written: a check may look at the file. All is told
    # by now. Whoever has a buffer of their own in such a file runs here, and can tell no more than before.
    try:
        sys.settrace(None)
        sys.setprofile(None)
        for file in [o for o in get_objects() if type(o) in buffered] if buffered else []:
            try:
                file.flush()
            except BaseException:
                pass
    except BaseException:
        pass
    # At once: no atexit, no destructors, no threads to wait for.
    leave(0)


room()
