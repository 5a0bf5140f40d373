# ends: exited 0
# says: refused
port = open('canary.txt').read().split()[1]
try:
    import urllib.request
    urllib.request.urlopen('http://127.0.0.1:' + port)
    print('ESCAPED')
except (ImportError, OSError, AttributeError): print('refused')
