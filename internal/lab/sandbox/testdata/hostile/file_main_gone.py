# ends: exited 1
# says: ZeroDivisionError
import os
for f in os.listdir('/'): os.remove(f)
os.mkdir('main.py')
1 / 0
