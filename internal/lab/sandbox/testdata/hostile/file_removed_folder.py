# ends: exited 0
# says: refused
import os
os.mkdir('d')
fd = os.open('d', os.O_RDONLY)
os.rmdir('d')
try: os.open('x', os.O_CREAT | os.O_WRONLY, dir_fd=fd); print('ESCAPED')
except (OSError, NotImplementedError): print('refused')
