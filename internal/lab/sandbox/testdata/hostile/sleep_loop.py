# ends: timed_out
import time
end = time.time() + 10 ** 9
while time.time() < end:
    try: time.sleep(1000)
    except OSError: pass
