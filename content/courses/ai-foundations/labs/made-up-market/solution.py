import random
import banyan

# Every sentence is true. Nothing else is known about this market.
SENTENCES = [
    "Rosa sells tomatoes on Monday",
    "Rosa sells onions on Friday",
    "Amina sells fish on Friday",
    "Amina buys onions from Rosa",
    "Yusuf sells bread every morning",
    "Yusuf buys fish from Amina",
    "Lan repairs radios every morning",
    "Lan buys bread from Yusuf",
    "the market opens at six on Monday",
    "the market closes at noon on Friday",
    "the bus from the river stops at noon",
    "the bridge at the river is closed on Monday",
]
START = "START"
END = "END"


def followers(sentences):
    table = {}
    for sentence in sentences:
        words = [START] + sentence.split() + [END]
        for i in range(len(words) - 1):
            word = words[i]
            if word not in table:
                table[word] = []
            table[word].append(words[i + 1])
    return table


def make_sentence(table):
    # Draw one word after another, as a language model does.
    words = []
    word = random.choice(table[START])
    while word != END and len(words) < 20:
        words.append(word)
        word = random.choice(table[word])
    return " ".join(words)


def made_up(made, source):
    new = []
    for sentence in made:
        if sentence not in source and sentence not in new:
            new.append(sentence)
    return new


TABLE = followers(SENTENCES)
if START in TABLE:
    made = [make_sentence(TABLE) for i in range(200)]
    new = made_up(made, SENTENCES)
    old = [sentence for sentence in SENTENCES if sentence in made]
    print("Different sentences made:", len(old) + len(new))
    print("Never in the source:", len(new))
    for sentence in new[:8]:
        print("-", sentence)
    banyan.bar(["true", "never in the source"], [len(old), len(new)],
               title="200 draws: different sentences")
