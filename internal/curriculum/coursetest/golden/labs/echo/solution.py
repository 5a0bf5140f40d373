def echo(x):
    return x  # SECRET-SOLUTION
