# ends: exited 1, memory
# says: Error
import json
a = []
for _ in range(1000000): a = [a]
json.dumps(a)
