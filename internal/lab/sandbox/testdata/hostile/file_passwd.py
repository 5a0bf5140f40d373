# ends: exited 0
# says: refused
try: print('ESCAPED', open('/etc/passwd').read())
except OSError: print('refused')
