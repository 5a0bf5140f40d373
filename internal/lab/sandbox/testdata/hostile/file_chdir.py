# ends: exited 0
# says: refused
import os
for f in (lambda: os.chdir('/etc'), lambda: os.chdir('..'), lambda: os.chroot('..'), lambda: os.fchdir(3)):
    try: f()
    except (OSError, AttributeError): pass
try: print('ESCAPED', open('passwd').read())
except OSError: print('refused')
