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


def invalidate_caches():
    """PathFinder's own, without what it does for importlib.metadata: that is not here."""
    for name, finder in list(sys.path_importer_cache.items()):
        if finder is None or not name.startswith("/"):
            del sys.path_importer_cache[name]
        elif hasattr(finder, "invalidate_caches"):
            finder.invalidate_caches()
    _bootstrap_external._NamespacePath._epoch += 1


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
    import gc
    import io
    import linecache
    import random
    import traceback
    import types
    import weakref

    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D (i.e. EOF)")
    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D (i.e. EOF)")

    # A program that is stopped keeps the lines that it has printed.
    sys.stdout.reconfigure(line_buffering=True)
    stdin, stdout, stderr = sys.stdin, sys.stdout, sys.stderr

    _bootstrap_external.PathFinder.invalidate_caches = staticmethod(invalidate_caches)

    # Their caches are warm then.
    try:
        exec(compile("def f(x=1, *, y: int = 2):\n    return [f'{i:>4}' for i in range(y)][9]\nf()\n", "warm.py", "exec"), {})
    except IndexError:
        traceback.format_exc()
    linecache.clearcache()

    # The program may change what these names mean in their modules.
    reseed, finish, objects, collect, ref = random.seed, atexit._run_exitfuncs, gc.get_objects, gc.collect, weakref.ref
    modules, argv, path = sys.modules, sys.argv, sys.path
    importers = sys.path_importer_cache
    Module = types.ModuleType
    buffered = {io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom}
    loaders = {id(shelf), id(_bootstrap.BuiltinImporter), id(_bootstrap.FrozenImporter)}

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

    def flush():
        for stream in (sys.stdout, sys.stderr, stdout, stderr):
            try:
                stream.flush()
            except Exception:
                pass  # closed, replaced or full: the program's own doing

    def end():
        """Does what Python does when a program is over, in its order.

        Files that the program left open are written. What it holds goes; what the library holds stays, since
        the instance is thrown away.
        """
        finish()
        flush()
        # The collector closes a file before its buffer is written, if a circle holds it.
        try:
            files = [o for o in objects() if type(o) in buffered]
        except MemoryError:
            files = ()
        for file in files:
            try:
                file.flush()
            except Exception:
                pass  # for reading, or full
        files = file = None
        sys.stdin, sys.stdout, sys.stderr = stdin, stdout, stderr
        for name in ("last_exc", "last_type", "last_value", "last_traceback"):
            sys.__dict__.pop(name, None)
        own = []
        for name, module in list(modules.items()):
            if isinstance(module, Module) and id(module.__dict__.get("__loader__")) not in loaders:
                own.append(ref(module))
                del modules[name]
        module = None
        # Most goes here, while what is destroyed can still see the names that it uses.
        collect()
        for module in own:
            if (module := module()) is not None:
                names = module.__dict__
                for private in (True, False):
                    for name in list(names):
                        if isinstance(name, str) and name != "__builtins__" and private == (name[:1] == "_" and name[1:2] != "_"):
                            names[name] = None
        module = names = None
        collect()
        flush()

    path[:] = ["/"]
    importers.clear()
    for name in ("banyan_preload", "__main__"):
        modules.pop(name, None)
    sys.dont_write_bytecode = True
    return begin, end
