# ends: exited
# says: EOFError
import sys
for _ in range(1000): sys.stdin.read()
input()
