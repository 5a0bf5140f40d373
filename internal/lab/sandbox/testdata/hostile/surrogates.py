# ends: exited
import sys
sys.stdout.reconfigure(errors='surrogatepass')
print('\ud800\udfff\x00\x1b[2J')
sys.stdout.buffer.write(bytes(range(256)))
