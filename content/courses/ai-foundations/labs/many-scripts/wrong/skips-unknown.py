import csv
import banyan

# A small vocabulary, made mostly from English texts.
VOCABULARY = [
    " ", ".", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m",
    "n", "o", "p", "r", "s", "t", "u", "v", "w", "y", "W", "T", "M", "E", "S",
    "the", "The", " the", "in", " in", "is", " is", "ing", "er", "re", "on",
    "or", "an", "at", "en", "es", "life", " life", "Water", " water", "open",
    " opens", "market", " market", "morn", " morning", "ni", "la", "El", "ma",
]


def measure(text):
    return [len(text), len(text.encode("utf-8"))]


def count_pieces(text, vocabulary):
    count = 0
    place = 0
    while place < len(text):
        longest = ""
        for piece in vocabulary:
            if text.startswith(piece, place) and len(piece) > len(longest):
                longest = piece
        if longest == "":
            sign = text[place]
            place = place + 1
        else:
            count = count + 1
            place = place + len(longest)
    return count


with open("texts.csv", encoding="utf-8") as file:
    TEXTS = list(csv.DictReader(file))

rows = []
for line in TEXTS:
    signs, size = measure(line["text"])
    pieces = count_pieces(line["text"], VOCABULARY)
    print(line["language"] + ":", signs, "signs,", size, "bytes,", pieces, "pieces")
    rows.append([line["language"], signs, size, pieces])
banyan.table(rows, columns=["language", "signs", "bytes", "pieces"])
banyan.bar([row[0] for row in rows], [row[3] for row in rows],
           title="Pieces for the same two sentences")
