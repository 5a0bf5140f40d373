# ends: exited, timed_out, flooded
import atexit
def f(): print('again'); atexit.register(f)
atexit.register(f)
