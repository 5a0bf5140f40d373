import banyan

# All energy is in units. One unit is one milliwatt-hour.
# training: once. step: energy of one step. steps: steps for one answer.
SERVICE = {"training": 0, "step": 300, "steps": 1}
SMALL = {"training": 1200000, "step": 20, "steps": 3}


def energy(model, answers):
    return model["training"] + answers * model["step"]


def break_even(own, service):
    saved = service["step"] * service["steps"] - own["step"] * own["steps"]
    if saved <= 0:
        return None
    more = own["training"] - service["training"]
    return more // saved + 1


places = list(range(0, 10001, 1000))
banyan.line(places, {"service": [energy(SERVICE, n) for n in places],
                     "own": [energy(SMALL, n) for n in places]},
            title="Energy in all", x_label="answers", y_label="units")
rows = []
for steps in (1, 3, 6, 10, 15, 20):
    model = {"training": 1200000, "step": 20, "steps": steps}
    rows.append([steps, break_even(model, SERVICE)])
banyan.table(rows, columns=["steps for one answer", "break-even"],
             title="When the small model needs more steps")
