# ends: exited 0
# says: refused
try:
    import ctypes
    print('ESCAPED', ctypes.string_at(0, 16))
except (ImportError, AttributeError): print('refused')
