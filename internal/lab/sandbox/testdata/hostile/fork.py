# ends: exited 0
# says: refused
import os
try:
    os.fork()
    print('ESCAPED')
except (AttributeError, OSError): print('refused')
