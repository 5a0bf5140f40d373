# ends: exited 0
# says: refused
try:
    import _socket
    for family in (1, 2, 10, 16, 17):
        for kind in (1, 2, 3):
            try: _socket.socket(family, kind); print('ESCAPED')
            except OSError: pass
except (ImportError, AttributeError): pass
print('refused')
