# ends: exited 0
# says: refused 0
import os
f = os.open('f', os.O_CREAT | os.O_RDWR)
for n in 1 << 23, 1 << 31, 1 << 40, (1 << 63) - 1:
    for do in (lambda: os.ftruncate(f, n), lambda: os.pwrite(f, b'x', n), lambda: os.posix_fallocate(f, 0, n), lambda: os.posix_fallocate(f, n, n), lambda: (os.lseek(f, n, 0), os.write(f, b'x'))):
        try: do(); print('ESCAPED', n)
        except (OSError, AttributeError, OverflowError): pass
print('refused', os.fstat(f).st_size)
