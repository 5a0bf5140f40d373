# ends: exited
import sys
class O:
    def write(s, x): raise ValueError
    def flush(s): raise ValueError
sys.stdout = sys.stderr = O()
print('x')
