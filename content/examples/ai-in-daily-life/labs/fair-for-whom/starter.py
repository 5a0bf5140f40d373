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
    # For each region: what share of its guesses is right?
    return {}


def predict(field):
    # The old rule is the same for every soil. Make it fair.
    if field["moisture"] < 35:
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
