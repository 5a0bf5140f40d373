# ends: exited
for n in 'a.txt', 'random.py', 'json.py', 'main.py', 'encodings.py': open(n, 'w').write('raise SystemExit(66)')
