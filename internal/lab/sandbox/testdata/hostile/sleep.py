# ends: exited, timed_out
import time
try: time.sleep(10 ** 9)
except OSError: pass
print('awake')
