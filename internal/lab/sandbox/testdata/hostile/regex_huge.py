# ends: exited, timed_out, memory
import re
try: re.compile('(' * 20000 + ')' * 20000)
except (RecursionError, MemoryError, re.error, OverflowError): print('refused')
re.compile('a{1000}{1000}{1000}')
