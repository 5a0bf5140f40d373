# ends: exited
import os
for fd in range(64):
    try: os.close(fd)
    except OSError: pass
open('x', 'w').write('y')
