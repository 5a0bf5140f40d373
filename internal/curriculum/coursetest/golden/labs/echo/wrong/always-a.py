def echo(x):
    return "a"  # SECRET-WRONG
