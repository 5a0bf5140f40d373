# ends: exited 0
# says: refused
import os
for fd in range(0, 64):
    try:
        import socket
        s = socket.socket(fileno=fd); s.connect(('127.0.0.1', 80)); print('ESCAPED')
    except (ImportError, OSError, AttributeError, ValueError): pass
print('refused')
