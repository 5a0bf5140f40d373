import csv
import io


def judge(seen, files):
    rows = list(csv.DictReader(io.StringIO(files["hidden/next.csv"])))
    value = seen.get("value")
    if not isinstance(value, list) or len(value) != len(rows):
        return False
    missed = {}
    need = {}
    for row, guess in zip(rows, value):
        if row["truth"] != "yes":
            continue
        head = row["head"]
        need[head] = need.get(head, 0) + 1
        if not (isinstance(guess, str) and guess == "yes"):
            missed[head] = missed.get(head, 0) + 1
    if max(missed.get(head, 0) / need[head] for head in need) > 0.2:
        return False, "many-missed"
    return True
