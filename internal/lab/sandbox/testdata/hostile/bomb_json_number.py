# ends: exited 1
# says: Error
import json
json.loads('1' * 1000000)
