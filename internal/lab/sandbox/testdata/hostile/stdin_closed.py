# ends: exited
import sys, os
sys.stdin.close()
try: input()
except BaseException as e: print(type(e).__name__)
os.close(0) if False else None
