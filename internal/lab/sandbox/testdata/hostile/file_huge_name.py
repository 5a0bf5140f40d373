# ends: exited 0
# says: refused
import os
for n in 256, 4096, 1 << 20:
    for f in (lambda p: open(p, 'w'), os.mkdir, lambda p: os.rename('canary.txt', p), os.stat):
        try: f('x' * n); print('ESCAPED')
        except OSError: pass
print('refused')
