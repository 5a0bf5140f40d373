# ends: flooded
# says: spam
while True:
    try: print('spam' * 1000)
    except BaseException: pass
