# ends: exited 0
# says: refused
try:
    import multiprocessing
    multiprocessing.Process(target=print).start()
    print('ESCAPED')
except (ImportError, OSError, AttributeError): print('refused')
