# ends: exited 0
# says: refused
import os
os.mkdir('d')
for base in '/', 'd':
    fd = os.open(base, os.O_RDONLY)
    for path in '..', '../..', '../etc/passwd', '/etc/passwd':
        try: print('ESCAPED', os.read(os.open(path, os.O_RDONLY, dir_fd=fd), 10))
        except (OSError, NotImplementedError): pass
print('refused')
