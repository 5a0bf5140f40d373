# ends: flooded
# says: spam
while True: print('spam')
