# ends: exited 0
# says: refused
port = int(open('canary.txt').read().split()[1])
try:
    import socket
    socket.create_connection(('127.0.0.1', port), 2)
    print('ESCAPED')
except (ImportError, OSError, AttributeError): print('refused')
