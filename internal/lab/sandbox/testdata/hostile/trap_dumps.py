# ends: exited, flooded
import sys
for n in ('_debugmallocstats', '_clear_type_cache', '_clear_internal_caches', 'activate_stack_trampoline', '_dump_tracelets'):
    try: getattr(sys, n)()
    except (AttributeError, TypeError, ValueError, RuntimeError, NotImplementedError): pass
