# ends: exited 7
import os
os._exit(7)
