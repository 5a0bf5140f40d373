# ends: timed_out
import re
re.search(r'^(.*?,){30}P', ','.join(['x' * 30] * 60))
re.match(r'(a*)*\1b', 'a' * 4000)
