# ends: exited 0
# says: refused
import os
for n in b'\xff', b'a\xc3(', b'', b'.', b'..', b'/', b'a/', b'\xed\xa0\x80':
    for f in (lambda p: os.open(p, os.O_CREAT | os.O_EXCL | os.O_WRONLY), os.mkdir):
        try: f(n); print('made', n)
        except (OSError, ValueError): pass
print('refused')
