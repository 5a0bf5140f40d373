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
    # What share of the guesses is right?
    return None


def false_alarms(truth, guess):
    # How many are "wait" in truth but "urgent" in the guess?
    return None


def missed(names, truth, guess):
    # Who is "urgent" in truth but "wait" in the guess?
    return None


for title, guess in [("Lazy", LAZY), ("Careful", CAREFUL)]:
    print(title, "list: accuracy", accuracy(TRUTH, guess))
    print("  false alarms:", false_alarms(TRUTH, guess))
    print("  missed:", missed(NAMES, TRUTH, guess))
    banyan.confusion(TRUTH, guess, title=title + " list")
