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
    return abs(a[0] - b[0])


def nearest(leaf, examples):
    best = examples[0]
    for example in examples:
        if distance(leaf, example) < distance(leaf, best):
            best = example
    return best


def predict(leaf, examples):
    return nearest(leaf, examples)[2]


print("New leaf:", predict(NEW_LEAF, LEAVES))
