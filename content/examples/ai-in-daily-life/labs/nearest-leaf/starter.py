from math import sqrt

# Each example: yellow (0 to 10), twisted (0 to 10), label.
LEAVES = [
    [1, 0, "healthy"],
    [2, 1, "healthy"],
    [3, 2, "healthy"],
    [6, 8, "sick"],
    [7, 6, "sick"],
    [8, 9, "sick"],
]
NEW_LEAF = [6, 7]


def distance(a, b):
    # How far apart are the leaves a and b?
    return None


def nearest(leaf, examples):
    # Which example has the smallest distance to leaf?
    return None


def predict(leaf, examples):
    # What is the label of the nearest example?
    return None


print("New leaf:", predict(NEW_LEAF, LEAVES))
