# ends: exited 1
# says: goodbye
import sys
sys.exit('goodbye')
