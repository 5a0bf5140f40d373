# ends: exited
open('mine.py', 'w').write('import os\nos._exit(3)')
import sys
sys.path.insert(0, '/')
import mine
