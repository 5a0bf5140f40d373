SOURCE = ["a b c", "d b e", "a f c g"]


def pairs(sentence):
    words = ["START"] + sentence.split() + ["END"]
    return set(zip(words, words[1:]))


def judge(seen, files):
    made = seen["value"]
    if not isinstance(made, list) or len(made) != 60:
        return False
    known = set()
    for sentence in SOURCE:
        known |= pairs(sentence)
    met = set()
    for sentence in made:
        if not isinstance(sentence, str) or sentence == "":
            return False
        met |= pairs(sentence)
    if not met <= known:
        return False, "pairs"
    # In 60 sentences each of the 11 pairs comes nearly surely; the seed is fixed.
    if met != known:
        return False, "narrow"
    return True
