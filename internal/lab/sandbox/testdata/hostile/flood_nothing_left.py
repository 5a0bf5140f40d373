# ends: flooded
import os
os.write(1, b'x' * 65536)
while True: os.write(1, b'')or os.write(1, b'y')
