# ends: exited 0
# says: refused
import os
for pid in 0, 1, -1, 2, getattr(os, 'getppid', lambda: 1)():
    try: os.kill(pid, 9); print('ESCAPED')
    except (AttributeError, OSError): pass
print('refused')
