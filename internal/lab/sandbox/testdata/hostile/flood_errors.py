# ends: flooded
# says: spam
import sys
while True: print('spam', file=sys.stderr)
