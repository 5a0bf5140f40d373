# ends: exited 0
# says: done
import os
os.mkdir('a'); os.mkdir('a/b')
for x, y in ('a', 'a/b/c'), ('/', 'x'), ('a', '/'), ('a/b', '..'), ('..', 'x'), ('a', 'a/..'):
    try: os.rename(x, y); print('renamed', x, y)
    except OSError: pass
for d, _, f in os.walk('/'): pass
print('done')
