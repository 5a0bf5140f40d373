import csv
import banyan

# Each cherry: [red, soft, 1]. The last number is the same for all.
CHERRIES = []
LABELS = []
with open("cherries.csv") as file:
    for row in csv.DictReader(file):
        CHERRIES.append([int(row["red"]), int(row["soft"]), 1])
        LABELS.append(int(row["ripe"]))


def answer(weights, cherry):
    total = 0
    for i in range(len(weights)):
        total = total + weights[i] * cherry[i]
    if total > 0:
        return 1
    return 0


def learn(weights, cherry, label):
    guess = answer(weights, cherry)
    return [weight + (label - guess) for weight in weights]


def train(cherries, labels, rounds):
    weights = [0, 0, 0]
    mistakes = []
    for _ in range(rounds):
        wrong = 0
        for cherry, label in zip(cherries, labels):
            if answer(weights, cherry) != label:
                wrong = wrong + 1
            weights = learn(weights, cherry, label)
        mistakes.append(wrong)
    return weights, mistakes


WEIGHTS, MISTAKES = train(CHERRIES, LABELS, 30)
print("weights:", WEIGHTS)
print("mistakes in the last round:", MISTAKES[-1])
banyan.line(list(range(1, 31)), MISTAKES, title="Mistakes in each round",
            x_label="round", y_label="mistakes")
