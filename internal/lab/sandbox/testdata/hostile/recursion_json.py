# ends: exited 1, memory
# says: Error
import json
json.loads('[' * 1000000)
