# ends: flooded
import os
while True:
    os.write(1, b'o' * 100)
    os.write(2, b'e' * 100)
