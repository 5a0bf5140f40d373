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
    # Count, then divide: right, missed and extra.
    return {"right": 0, "missed": 0, "extra": 0}


def decide(family):
    # The old rule. Make it fair.
    if 0 < family["papers"] < 1:
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
