# ends: exited, memory, timed_out
try: import ast
except ImportError: raise SystemExit
n = ast.Constant(1)
for _ in range(200000): n = ast.UnaryOp(ast.USub(), n)
compile(ast.fix_missing_locations(ast.Expression(n)), 'f', 'eval')
