# ends: exited, timed_out
try:
    import signal
    for n in 6, 9, 11, 15: signal.raise_signal(n)
except (ImportError, AttributeError, OSError): print('refused')
