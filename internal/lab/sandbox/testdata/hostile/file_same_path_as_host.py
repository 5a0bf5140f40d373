# ends: exited 0
# says: only in memory
import os
path = open('canary.txt').read().split()[0]
os.makedirs(path, exist_ok=True)
open(path + '/secret', 'w').write('overwritten')
open(path + '/made', 'w').write('x')
for d in '/tmp', '/etc':
    os.makedirs(d, exist_ok=True)
    open(d + '/banyan-hostile', 'w').write('x')
print('only in memory')
