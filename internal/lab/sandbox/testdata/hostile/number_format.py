# ends: exited 1
# says: Error
'%*d' % (2 ** 31 - 1, 1)
