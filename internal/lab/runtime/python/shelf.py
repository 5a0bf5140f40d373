"""Compiles the standard library into one file, `shelf`.

It runs in the Python that it is for, under WebAssembly, so the result is the
same whatever machine builds. It runs in an instance of its own: compiling
leaves much in memory that would be in the runtime for ever.
"""

import marshal
import sys

LIB = "/lib/python3.13/"

# Imported before the first program runs: what labs use, and what that needs.
# Costs memory and file size, saves each run the import.
CORE = """
abc array ast base64 bisect calendar cmath collections contextlib copy csv dataclasses datetime
decimal enum fractions functools hashlib heapq io itertools json keyword linecache math numbers operator os pprint
random re reprlib statistics string struct sys textwrap time tokenize traceback types typing unicodedata warnings weakref
encodings encodings.aliases encodings.ascii encodings.latin_1 encodings.utf_8 encodings.utf_8_sig
""".split()

# Importable, compiled, from memory. A package brings all of its modules.
SHELF = """
__future__ _collections_abc _colorize _compat_pickle _markupbase _opcode_metadata _py_abc _sitebuiltins _strptime
_threading_local _weakrefset argparse bdb cmd code codecs codeop colorsys configparser contextvars copyreg difflib dis doctest
encodings.base64_codec encodings.cp1252 encodings.cp1256 encodings.cp437 encodings.hex_codec encodings.iso8859_6
encodings.punycode encodings.raw_unicode_escape encodings.rot_13 encodings.unicode_escape encodings.utf_16 encodings.utf_16_be
encodings.utf_16_le encodings.utf_32 fnmatch genericpath getopt gettext glob graphlib hmac html importlib inspect ipaddress
locale logging opcode pathlib pdb pickle pkgutil platform posixpath queue quopri rlcompleter runpy sched secrets shlex shutil signal stat
symtable tempfile this threading timeit token tomllib unittest urllib.parse uuid
""".split()

# Parts of packages that need what is not here: sockets, event loops, packed files.
WITHOUT = """
importlib.abc importlib.metadata importlib.readers importlib.resources importlib.simple logging.config logging.handlers
unittest.async_case unittest.mock
""".split()


def find(name):
    """The path of a module's source below the library, and whether it is a package; None for what is built in."""
    path = name.replace(".", "/")
    for file, package in ((path + "/__init__.py", True), (path + ".py", False)):
        try:
            with open(LIB + file, "rb") as f:
                return file, package, f.read()
        except OSError:
            pass
    return None


def modules(name):
    """The module, and all modules of a package."""
    import os

    yield name
    folder = LIB + name.replace(".", "/")
    try:
        entries = sorted(os.listdir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.endswith(".py") and entry not in ("__init__.py", "__main__.py"):
            yield f"{name}.{entry[:-3]}"
        elif "." not in entry and entry != "__pycache__":
            yield from modules(f"{name}.{entry}")


def preload():
    """Writes the shelf to stdout: marshalled (core, {name: (is a package, path, marshalled code)})."""
    shelf = {}
    wanted = {m for name in CORE + SHELF for m in ([name] if name == "encodings" else modules(name))}
    wanted |= {name.rpartition(".")[0] for name in wanted} - {""}
    for name in sorted(wanted):
        if any(f"{name}.".startswith(f"{part}.") for part in WITHOUT):
            continue
        found = find(name)
        if found is None:
            if name not in sys.builtin_module_names and name not in sys.modules:
                raise ModuleNotFoundError(name)
            continue
        file, package, source = found
        # Without docstrings: a third of the size, and nobody reads them here.
        code = compile(source, LIB + file, "exec", dont_inherit=True, optimize=2)
        shelf[name] = package, LIB + file, marshal.dumps(code)
    sys.stdout.buffer.write(marshal.dumps((CORE, shelf)))
    sys.stdout.flush()
    return print, print
