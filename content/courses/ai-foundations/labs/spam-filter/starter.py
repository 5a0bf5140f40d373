import csv
import banyan


def read(name):
    with open(name) as file:
        rows = list(csv.DictReader(file))
    return [row["message"] for row in rows], [row["label"] for row in rows]


def count_words(messages):
    # How often does each word come in these messages?
    return {}


def guess(message, spam, ok):
    # Let each word vote. Return "spam" or "ok".
    return "ok"


messages, labels = read("train.csv")
SPAM = count_words([m for m, label in zip(messages, labels) if label == "spam"])
OK = count_words([m for m, label in zip(messages, labels) if label == "ok"])

test, truth = read("test.csv")
guesses = [guess(message, SPAM, OK) for message in test]
right = sum(1 for g, t in zip(guesses, truth) if g == t)
print("accuracy on the test:", right / len(test))
print("baseline, always ok:", truth.count("ok") / len(test))
for message, g, t in zip(test, guesses, truth):
    if g != t:
        print("wrong:", message, "| guess:", g, "| truth:", t)
banyan.confusion(truth, guesses, labels=["spam", "ok"], title="Test messages")
