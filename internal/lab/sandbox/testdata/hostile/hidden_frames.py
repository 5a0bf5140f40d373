# ends: exited 0
# says: nothing
import sys, gc
f = sys._getframe()
seen = []
while f:
    seen.append(f.f_code.co_filename)
    f = f.f_back
found = [o for o in gc.get_objects() if isinstance(o, str) and ('/root/' in o or 'PATH=' in o)]
print('ESCAPED' if found else 'nothing')
