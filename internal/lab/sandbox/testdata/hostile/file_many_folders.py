# ends: exited 1
# says: Error
import os
p = ''
while True:
    p += 'd/'
    os.mkdir(p)
