# ends: exited 1
# says: Error
1 << (1 << 40)
