# ends: exited 0
# says: refused
import os
for fd in list(range(4, 70)) + [1 << 20, (1 << 31) - 1]:
    for f in (lambda: os.read(fd, 10), lambda: os.write(fd, b'x'), lambda: os.dup2(1, fd), lambda: os.dup2(fd, 1), lambda: os.fstat(fd), lambda: os.listdir(fd)):
        try: f()
        except (OSError, AttributeError, OverflowError, TypeError): pass
print('refused')
