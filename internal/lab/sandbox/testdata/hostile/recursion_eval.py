# ends: exited 1, memory
# says: Error
eval('(' * 1000000)
