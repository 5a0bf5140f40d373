# ends: exited 0
# says: refused
import _thread
try:
    _thread.start_new_thread(print, ('ESCAPED',))
except RuntimeError: print('refused')
