import csv
import banyan

# Each patient: number, score of the program (0 to 100), truth.
PATIENTS = []
with open("patients.csv", encoding="utf-8") as file:
    for row in csv.DictReader(file):
        row["score"] = int(row["score"])
        PATIENTS.append(row)


def count_cases(patients, threshold):
    counts = {"found": 0, "missed": 0, "false_alarm": 0, "right_wait": 0}
    for patient in patients:
        alarm = patient["score"] >= threshold
        if patient["truth"] == "urgent":
            if alarm:
                counts["found"] = counts["found"] + 1
            else:
                counts["missed"] = counts["missed"] + 1
        else:
            if alarm:
                counts["false_alarm"] = counts["false_alarm"] + 1
            else:
                counts["right_wait"] = counts["right_wait"] + 1
    return counts


def sensitivity(patients, threshold):
    counts = count_cases(patients, threshold)
    urgent = counts["found"] + counts["missed"]
    return counts["found"] / urgent


THRESHOLDS = [20, 30, 40, 50, 60, 70, 80]
all_counts = [count_cases(PATIENTS, threshold) for threshold in THRESHOLDS]
for threshold, counts in zip(THRESHOLDS, all_counts):
    print("Threshold", threshold, "missed:", counts["missed"],
          "false alarms:", counts["false_alarm"],
          "sensitivity:", sensitivity(PATIENTS, threshold))
banyan.line(THRESHOLDS,
            {"missed": [counts["missed"] for counts in all_counts],
             "false alarms": [counts["false_alarm"] for counts in all_counts]},
            title="What the threshold does", x_label="threshold", y_label="patients")
guess = ["urgent" if p["score"] >= 50 else "wait" for p in PATIENTS]
banyan.confusion([p["truth"] for p in PATIENTS], guess, title="Threshold 50")
