import banyan

# Each field: region, soil, moisture (percent), truth, guess of the old rule.
FIELDS = []
with open("fields.csv") as file:
    names = file.readline().strip().split(",")
    for line in file:
        field = dict(zip(names, line.strip().split(",")))
        field["moisture"] = int(field["moisture"])
        FIELDS.append(field)


def accuracy_by_region(fields):
    right = {}
    total = {}
    for field in fields:
        region = field["region"]
        total[region] = total.get(region, 0) + 1
        if field["guess"] == field["truth"]:
            right[region] = right.get(region, 0) + 1
    shares = {}
    for region in total:
        shares[region] = right.get(region, 0) / total[region]
    return shares


def predict(field):
    limit = 35
    if field["soil"] == "sand":
        limit = 16
    if field["moisture"] < limit:
        return "water"
    return "wait"


shares = accuracy_by_region(FIELDS)
with open("report.csv", "w") as file:
    file.write("region,share\n")
    for region in sorted(shares):
        file.write(region + "," + str(shares[region]) + "\n")
if shares:
    banyan.bar(sorted(shares), [shares[r] for r in sorted(shares)],
               title="The old rule: share of right guesses")
