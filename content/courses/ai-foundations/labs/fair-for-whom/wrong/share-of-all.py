import banyan

# Each family: who heads it, hectares on papers, hectares farmed, people,
# truth (what a visit found), guess (what the old rule said).
FAMILIES = []
with open("families.csv") as file:
    names = file.readline().strip().split(",")
    for line in file:
        family = dict(zip(names, line.strip().split(",")))
        for name in ("papers", "farmed", "people"):
            family[name] = float(family[name])
        FAMILIES.append(family)


def measure(families):
    right = missed = extra = need = 0
    for family in families:
        if family["truth"] == "yes":
            need += 1
        if family["guess"] == family["truth"]:
            right += 1
        elif family["truth"] == "yes":
            missed += 1
        else:
            extra += 1
    no_need = len(families) - need
    return {"right": right / len(families) if families else 0,
            "missed": missed / len(families),
            "extra": extra / len(families)}


def decide(family):
    if family["farmed"] / family["people"] < 0.25:
        return "yes"
    return "no"


rows = []
with open("report.csv", "w") as file:
    file.write("head,right,missed,extra\n")
    for head in ("man", "woman"):
        group = [family for family in FAMILIES if family["head"] == head]
        result = measure(group)
        row = [head, result["right"], result["missed"], result["extra"]]
        file.write(",".join(str(cell) for cell in row) + "\n")
        rows.append(row)
banyan.table(rows, columns=["head", "right", "missed", "extra"],
             title="The old rule, group by group")
banyan.bar(["man", "woman"], {"missed": [row[2] for row in rows],
                              "extra": [row[3] for row in rows]},
           title="Two kinds of mistakes")
