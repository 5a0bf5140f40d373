# ends: exited 0
# says: refused
for p in '/proc/self/environ', '/proc/self/mem', '/proc/1/cmdline', '/proc/self/fd/0', '/sys/kernel', '/dev/mem', '/dev/tty', '/dev/stdin', '/dev/null':
    try: print('ESCAPED', open(p, 'rb').read(10))
    except OSError: pass
print('refused')
