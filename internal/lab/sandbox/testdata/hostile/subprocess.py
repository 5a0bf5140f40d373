# ends: exited 0
# says: refused
try:
    import subprocess
    subprocess.run(['true'])
    print('ESCAPED')
except (ImportError, OSError): print('refused')
