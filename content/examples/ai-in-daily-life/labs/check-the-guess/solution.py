import banyan

NAMES = ["Amina", "Rosa", "Li", "Noor", "Wanjiru",
         "Sita", "Fatou", "Ines", "Tala", "Omar"]
TRUTH = ["wait", "urgent", "wait", "wait", "wait",
         "wait", "urgent", "wait", "wait", "wait"]

# The lazy list says "wait" to everybody.
LAZY = ["wait"] * 10
CAREFUL = ["urgent", "urgent", "wait", "urgent", "wait",
           "wait", "urgent", "wait", "urgent", "wait"]


def accuracy(truth, guess):
    right = 0
    for i in range(len(truth)):
        if truth[i] == guess[i]:
            right = right + 1
    return right / len(truth)


def false_alarms(truth, guess):
    count = 0
    for i in range(len(truth)):
        if truth[i] == "wait" and guess[i] == "urgent":
            count = count + 1
    return count


def missed(names, truth, guess):
    people = []
    for i in range(len(truth)):
        if truth[i] == "urgent" and guess[i] == "wait":
            people.append(names[i])
    return people


for title, guess in [("Lazy", LAZY), ("Careful", CAREFUL)]:
    print(title, "list: accuracy", accuracy(TRUTH, guess))
    print("  false alarms:", false_alarms(TRUTH, guess))
    print("  missed:", missed(NAMES, TRUTH, guess))
    banyan.confusion(TRUTH, guess, title=title + " list")
