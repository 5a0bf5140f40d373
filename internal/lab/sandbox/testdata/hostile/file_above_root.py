# ends: exited 0
# says: refused
import os
for path in '../etc/passwd', '../../../etc/passwd', '/../etc/passwd', '/./../etc/passwd', 'a/../../etc/passwd', '//etc/passwd', '..':
    try: print('ESCAPED', open(path).read())
    except OSError: pass
try: print('ESCAPED', os.listdir('../..'))
except OSError: print('refused')
