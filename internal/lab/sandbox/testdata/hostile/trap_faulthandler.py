# ends: exited, timed_out
import faulthandler
print('trying', flush=True)
for f in '_sigabrt', '_sigfpe', '_sigsegv', '_stack_overflow', '_read_null', '_fatal_error_c_thread', '_raise_exception':
    try: getattr(faulthandler, f)()
    except (AttributeError, RuntimeError): pass
