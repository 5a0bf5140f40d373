# ends: timed_out
try:
    import signal
    for n in range(1, 65):
        try: signal.signal(n, lambda *a: None)
        except (OSError, ValueError, RuntimeError): pass
    signal.alarm(1)
except (ImportError, AttributeError): pass
while True: pass
