# ends: exited 0
# says: empty
import os, sys
assert set(os.environ) <= {'PYTHONHASHSEED'}, os.environ
print('empty', sys.argv)
