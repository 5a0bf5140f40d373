# ends: exited 0
# says: refused
import os
path = open('canary.txt').read().split()[0]
for p in '/tmp/banyan-hostile', path + '/made', '/etc/banyan-hostile', '../banyan-hostile', '/root/banyan-hostile':
    try: open(p, 'w').write('x'); print('ESCAPED')
    except OSError: pass
print('refused')
