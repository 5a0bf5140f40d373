# ends: exited
import os
os.abort()
