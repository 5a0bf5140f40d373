"""What the interpreter has in memory before the first program runs.

It runs once, while the runtime is built: by banyan_init of reactor.c, which
finds it in /lib/python3.13 beside `shelf`, the compiled standard library that
shelf.py wrote. Nothing of /lib is there any more when a program runs.
"""

import _frozen_importlib as _bootstrap
import _frozen_importlib_external as _bootstrap_external
import marshal
import sys

LIB = "/lib/python3.13/"


# Its exec_module is importlib's own, so a traceback shows no frame of the import.
class Shelf(_bootstrap_external._LoaderBasics):
    """Imports the standard library from memory, before any file is looked at."""

    def __init__(self, code):
        self._code = code  # name -> (is a package, path, marshalled code)

    def find_spec(self, name, path=None, target=None):
        if name not in self._code:
            return None
        package, origin, _ = self._code[name]
        return _bootstrap.spec_from_loader(name, self, origin=origin, is_package=package)

    def is_package(self, name):
        return self._code[name][0]

    def get_filename(self, name):
        return self._code[name][1]

    def get_code(self, name):
        return marshal.loads(self._code[name][2])

    def get_source(self, name):
        return None

    def __repr__(self):
        return "<the standard library>"


def preload():
    """Fills the shelf, imports the core, and gives reactor.c its two hooks."""
    with open(LIB + "shelf", "rb") as f:
        core, code = marshal.load(f)
    shelf = Shelf(code)
    # Before PathFinder: a program's own file never stands in for a module of the library.
    sys.meta_path.insert(2, shelf)
    for name in list(sys.modules):
        # encodings came from files, which will be gone.
        if name in code:
            module = sys.modules[name]
            module.__loader__ = shelf
            module.__spec__ = shelf.find_spec(name)
            if code[name][0]:
                module.__path__ = []
            module.__dict__.pop("__cached__", None)
    for name in core:
        __import__(name)
        # It is in memory; its code need not be there twice.
    for name in list(code):
        if name in sys.modules:
            del code[name]

    import _sitebuiltins
    import atexit
    import builtins
    import linecache
    import random
    import traceback
    import types

    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D (i.e. EOF)")
    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D (i.e. EOF)")

    # A program that is stopped keeps the lines that it has printed.
    sys.stdout.reconfigure(line_buffering=True)
    stdout, stderr = sys.stdout, sys.stderr

    # Their caches are warm then.
    try:
        exec(compile("def f(x=1, *, y: int = 2):\n    return [f'{i:>4}' for i in range(y)][9]\nf()\n", "warm.py", "exec"), {})
    except IndexError:
        traceback.format_exc()
    linecache.clearcache()

    reseed, finish = random.seed, atexit._run_exitfuncs
    modules, argv, path = sys.modules, sys.argv, sys.path
    importers = sys.path_importer_cache

    def begin(name, source):
        """Makes ready for one program; gives its path and the dictionary of its __main__."""
        reseed()
        file = "/" + name
        argv[:] = [name]
        path[:] = ["/"]
        importers.clear()
        # Its lines for tracebacks, also where it lies in no file.
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        main = modules["__main__"] = types.ModuleType("__main__")
        main.__file__ = file
        main.__builtins__ = builtins
        return file, main.__dict__

    def end():
        """Does what Python does when a program is over."""
        finish()
        for stream in (sys.stdout, sys.stderr, stdout, stderr):
            try:
                stream.flush()
            except Exception:
                pass  # closed, replaced or full: the program's own doing

    path[:] = ["/"]
    importers.clear()
    for name in ("banyan_preload", "__main__"):
        modules.pop(name, None)
    sys.dont_write_bytecode = True
    return begin, end
