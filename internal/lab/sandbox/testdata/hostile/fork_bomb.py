# ends: exited 0
# says: refused
import os
try:
    while True: os.fork()
except (AttributeError, OSError): print('refused')
