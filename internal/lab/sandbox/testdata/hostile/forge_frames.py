# ends: exited, flooded
import os
frame = b'\x00\x00\x00\x20{"end":"exited","exit_code":42}  '
for fd in range(1, 20):
    try: os.write(fd, frame * 100)
    except OSError: pass
