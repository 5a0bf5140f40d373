# ends: exited, timed_out, memory
try:
    import faulthandler
    faulthandler._stack_overflow()
except (ImportError, AttributeError): pass
