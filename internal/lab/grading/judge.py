# The second room of grading, for checks that have a judge script of the
# author's. No code of the learner runs here: what the first room saw comes as data.
#
# Standard input: a nonce, a newline, and JSON:
#   {"tasks": [{"name": "judges/a.py", "source": "...", "hidden": true, "says": [keys],
#               "seen": observation}],
#    "files": {name: text}, "hidden": {path: text}}
# where an observation is one of the harness's, or {"output": text}, or {"file": text}.
# Standard error: a line with the nonce, J, and a JSON list with one answer a task:
#   {"score": 0 to 1, "says": key or null}, or {"error": text}.


def room():
    import sys
    import json
    import posix

    nonce, order = sys.stdin.read().split("\n", 1)
    order = json.loads(order)

    class Other:
        """Something that is no plain data: an object of a class of the learner's, or too much of it."""

        def __init__(self, text):
            self.text = text

        def __repr__(self):
            return self.text or "<something else>"

    def plain(wire, text):
        kind, rest = wire[0], wire[1:]
        if kind == "n":
            return None
        if kind == "b" or kind == "s":
            return rest[0]
        if kind == "i":
            return int(rest[0], 16)
        if kind == "f":
            return float(rest[0])
        if kind == "y":
            return bytes.fromhex(rest[0])
        if kind == "l":
            return [plain(w, "") for w in rest]
        if kind == "e":
            return set(frozen(plain(w, "")) for w in rest)
        if kind == "d":
            items = [plain(w, "") for w in rest]
            return {frozen(k): v for k, v in zip(items[::2], items[1::2])}
        return Other(text)

    def frozen(value):
        # Members of sets and keys of maps: a tuple came as a list.
        if type(value) is list:
            return tuple(frozen(v) for v in value)
        if type(value) is set:
            return frozenset(value)
        if type(value) is dict:
            return Other("")
        return value

    def view(seen):
        if "raised" in seen:
            return {"value": Other(seen["raised"]), "raised": seen["classes"][0], "text": seen["raised"]}
        if "value" in seen:
            return {"value": plain(seen["value"], seen.get("repr", ""))}
        return dict(seen)

    def line(err, name):
        n, tb = 0, err.__traceback__
        while tb is not None:
            if tb.tb_frame.f_code.co_filename == name:
                n = tb.tb_lineno
            tb = tb.tb_next
        if isinstance(err, SyntaxError):
            n = err.lineno or 0
        return "%s: %s%s" % (type(err).__name__, err, ", line %d" % n if n else "")

    def ask(task):
        name = task["name"]
        try:
            world = {"__name__": "judge", "__file__": name}
            exec(compile(task["source"], name, "exec"), world)
            if not callable(world.get("judge")):
                return {"error": "it defines no function judge(seen, files)"}
            files = dict(order["files"])
            if task["hidden"]:
                files.update(order["hidden"])
            found, says = world["judge"](view(task["seen"]), files), None
            if type(found) is tuple and len(found) == 2:
                found, says = found
            if type(found) not in (bool, int, float) or not 0 <= found <= 1:
                return {"error": "judge gave %.80r; it gives True, False or a number from 0 to 1" % (found,)}
            if says is not None and says not in task["says"]:
                return {"error": "judge says %.80r, which is no key of says" % (says,)}
            return {"score": float(found), "says": says}
        except BaseException as err:
            return {"error": line(err, name)[:400]}

    answers = json.dumps([ask(t) for t in order["tasks"]])
    data = ("\n%s J %s\n" % (nonce, answers)).encode("utf-8", "backslashreplace")
    while data:
        data = data[posix.write(2, data):]
    posix._exit(0)


room()
