# ends: exited 0
# says: refused
path = open('canary.txt').read().split()[0]
for mode in 'r', 'w', 'a', 'x':
    try: open(path + '/secret', mode); print('ESCAPED')
    except OSError: pass
print('refused')
