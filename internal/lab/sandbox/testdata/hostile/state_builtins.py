# ends: exited
import builtins
builtins.print = builtins.open = builtins.len = None
builtins.__import__ = None
