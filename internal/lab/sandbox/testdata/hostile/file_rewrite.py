# ends: timed_out
import os
while True:
    with open('f', 'wb') as f: f.write(bytes(3 << 20))
    os.truncate('f', 1)
