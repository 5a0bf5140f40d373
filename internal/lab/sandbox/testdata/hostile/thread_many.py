# ends: exited 0
# says: refused
try:
    import threading
    while True: threading.Thread(target=print, args=('ESCAPED',), daemon=True).start()
except (ImportError, RuntimeError): print('refused')
