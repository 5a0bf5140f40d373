import csv
import math
import banyan

# Each leaf: [length in cm, width in cm, crop].
LEAVES = []
with open("leaves.csv") as file:
    for row in csv.DictReader(file):
        LEAVES.append([float(row["length"]), float(row["width"]), row["crop"]])

# Leaves found today. Nobody has written down the crop yet.
NEW = [[8.5, 3.0], [9.5, 7.2], [17.0, 5.5]]


def distance(a, b):
    length = a[0] - b[0]
    width = a[1] - b[1]
    return length * length + width * width


def predict(leaf, examples):
    best = examples[0]
    for example in examples:
        if distance(leaf, example) < distance(leaf, best):
            best = example
    return best[2]


for leaf in NEW:
    print(leaf, "->", predict(leaf, LEAVES))
banyan.scatter([e[0] for e in LEAVES] + [e[0] for e in NEW],
               [e[1] for e in LEAVES] + [e[1] for e in NEW],
               groups=[e[2] for e in LEAVES] + ["new"] * len(NEW),
               title="Length and width in cm")
