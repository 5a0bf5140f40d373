# ends: exited 0
# says: refused system
import os
for f in ('execv', 'execve', 'posix_spawn', 'spawnv', 'system', 'popen'):
    try:
        getattr(os, f)('/bin/sh', ['sh', '-c', 'id'], *([{}] if f in ('execve', 'posix_spawn') else []))
        print('ESCAPED', f)
    except (AttributeError, OSError, TypeError, ImportError, ValueError): print('refused', f)
