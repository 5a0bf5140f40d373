import csv
import banyan


def read(name):
    with open(name) as file:
        rows = list(csv.DictReader(file))
    return [row["message"] for row in rows], [row["label"] for row in rows]


def count_words(messages):
    counts = {}
    for message in messages:
        counts = {}
        for word in message.split():
            counts[word] = counts.get(word, 0) + 1
    return counts


def guess(message, spam, ok):
    spam_votes = 0
    ok_votes = 0
    for word in message.split():
        if spam.get(word, 0) > ok.get(word, 0):
            spam_votes = spam_votes + 1
        if ok.get(word, 0) > spam.get(word, 0):
            ok_votes = ok_votes + 1
    if spam_votes > ok_votes:
        return "spam"
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
