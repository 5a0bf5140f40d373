"""Tables and small charts for a lab: table, bar, line, scatter, confusion.

Nothing is drawn here. Each call prints one record, which the page shows as a
table or a chart: the byte 0x1E, one line of JSON, a line feed (RFC 7464). The
records are described in docs/banyan-module.md. Nothing is imported but sys, so
that every Python runs this file, the ones in a browser too.
"""

import sys

__all__ = ["table", "bar", "line", "scatter", "confusion"]

MAX_POINTS = 500
MAX_ROWS = 500
MAX_COLUMNS = 30
MAX_BARS = 100
MAX_SERIES = 12
MAX_LABELS = 20
MAX_COUNTED = 100000
MAX_TITLE = 200
MAX_TEXT = 80
MAX_CELL = 300
MAX_RECORD = 60000


def table(rows, columns=None, title=None):
    """Shows rows: a list of dicts, or a list of lists. columns names the columns, and for dicts chooses them."""
    rows = _items("rows", rows, MAX_ROWS, "rows")
    if columns is not None:
        columns = _items("columns", columns, MAX_COLUMNS, "columns")
        if not columns:
            raise ValueError("columns is empty: name at least one column, or leave it out.")
    dicts = [row for row in rows if isinstance(row, dict)]
    if dicts and len(dicts) < len(rows):
        raise TypeError("rows mixes dicts with other rows: make all of them dicts, or all of them lists.")
    if dicts:
        if columns is None:
            columns = []
            for row in rows:
                for key in row:
                    if key not in columns:
                        columns.append(key)
        rows = [[row.get(key) for key in columns] for row in rows]
    else:
        rows = [_items("row %d" % (i + 1), row, MAX_COLUMNS, "columns") for i, row in enumerate(rows)]
        wide = len(columns) if columns is not None else max([len(row) for row in rows] + [0])
        for i, row in enumerate(rows):
            if columns is not None and len(row) != wide:
                raise ValueError("row %d has %d values, but there are %d columns." % (i + 1, len(row), wide))
            rows[i] = row + [None] * (wide - len(row))
    if columns is not None and len(columns) > MAX_COLUMNS:
        raise ValueError("there are %d columns; at most %d can be shown. Choose some with columns=[...]." % (len(columns), MAX_COLUMNS))
    record = {"kind": "table", "title": _title(title)}
    if columns is not None:
        record["columns"] = [_text(name, MAX_TEXT) for name in columns]
    record["rows"] = [[_cell(value) for value in row] for row in rows]
    _send(record)


def bar(labels, values=None, title=None, x_label=None, y_label=None):
    """Draws a bar a label. values is a list of numbers, or a dict of such lists by name. bar(counts) takes a dict of numbers."""
    if values is None:
        if not isinstance(labels, dict):
            raise TypeError("values is missing: call bar(labels, values), or bar(counts) with a dict.")
        labels, values = list(labels.keys()), list(labels.values())
    labels = _items("labels", labels, MAX_BARS, "bars")
    _send({
        "kind": "bar",
        "title": _title(title),
        "x_label": _title(x_label),
        "y_label": _title(y_label),
        "labels": [_text(label, MAX_TEXT) for label in labels],
        "series": _series("values", values, len(labels), "labels", MAX_BARS),
    })


def line(x, y=None, title=None, x_label=None, y_label=None):
    """Draws lines. y is a list of numbers, or a dict of such lists by name; x numbers or texts. line(values) counts x from 0."""
    if y is None:
        y = x if isinstance(x, dict) else _items("values", x, MAX_POINTS, "points")
        first = list(y.values())[:1] if isinstance(y, dict) else [y]
        if not first:
            raise ValueError("the dict of lines is empty: give at least one line.")
        x = range(len(_items("values", first[0], MAX_POINTS, "points")))
    x = _items("x", x, MAX_POINTS, "points")
    if any([isinstance(value, str) for value in x]):
        places = [_text(value, MAX_TEXT) for value in x]
    else:
        places = [_number("x", i, value) for i, value in enumerate(x)]
        for i, value in enumerate(places):
            if value is None:
                raise ValueError("item %d of x is %s: a line needs a place for each point." % (i + 1, x[i]))
    _send({
        "kind": "line",
        "title": _title(title),
        "x_label": _title(x_label),
        "y_label": _title(y_label),
        "x": places,
        "series": _series("y", y, len(places), "x", MAX_POINTS),
    })


def scatter(x, y, groups=None, title=None, x_label=None, y_label=None):
    """Draws a point for each pair of x and y. groups names the group of each point; every group gets a colour and a shape."""
    x = _numbers("x", x, MAX_POINTS)
    y = _numbers("y", y, MAX_POINTS)
    _same("y", y, "x", x)
    record = {
        "kind": "scatter",
        "title": _title(title),
        "x_label": _title(x_label),
        "y_label": _title(y_label),
        "x": x,
        "y": y,
    }
    if groups is not None:
        groups = _items("groups", groups, MAX_POINTS, "points")
        _same("groups", groups, "x", x)
        names = []
        for group in groups:
            if group not in names:
                names.append(group)
                if len(names) > MAX_SERIES:
                    raise ValueError("there are more than %d groups; join some of them." % MAX_SERIES)
        record["groups"] = [names.index(group) for group in groups]
        record["names"] = [_text(name, MAX_TEXT) for name in names]
    _send(record)


def confusion(truth, guess, labels=None, title=None):
    """Counts how often each true label met each guess. A row is a true label, a column is a guess."""
    truth = _items("truth", truth, MAX_COUNTED, "answers")
    guess = _items("guess", guess, MAX_COUNTED, "answers")
    _same("guess", guess, "truth", truth)
    if labels is None:
        labels = []
        for value in truth + guess:
            if value not in labels:
                labels.append(value)
                if len(labels) > MAX_LABELS:
                    raise ValueError("there are more than %d labels; a confusion matrix is for few." % MAX_LABELS)
        try:
            labels.sort()
        except TypeError:
            pass  # labels of several types stay in the order of their coming
    else:
        labels = _items("labels", labels, MAX_LABELS, "labels")
    counts = [[0] * len(labels) for _ in labels]
    for name, values in (("truth", truth), ("guess", guess)):
        for i, value in enumerate(values):
            if value not in labels:
                raise ValueError("item %d of %s is %s, which is not among the labels." % (i + 1, name, _show(value)))
    for true, guessed in zip(truth, guess):
        counts[labels.index(true)][labels.index(guessed)] += 1
    _send({
        "kind": "confusion",
        "title": _title(title),
        "labels": [_text(label, MAX_TEXT) for label in labels],
        "counts": counts,
    })


def _show(value):
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "\u2026"


def _items(name, values, most, what):
    # A list of what is in values; never more than one beyond the limit is taken, so that a generator may be endless.
    if isinstance(values, (str, bytes, dict, set, frozenset)):
        raise TypeError("%s is a %s: give a list." % (name, type(values).__name__))
    try:
        walk = iter(values)
    except TypeError:
        raise TypeError("%s is %s: give a list." % (name, _show(values))) from None
    out = []
    for value in walk:
        if len(out) == most:
            size = " of %d" % len(values) if hasattr(values, "__len__") else ""
            raise ValueError("%s is too long: at most %d %s can be shown%s." % (name, most, what, size))
        out.append(value)
    return out


def _same(name, values, other, others):
    if len(values) != len(others):
        raise ValueError("%s has %d items, but %s has %d: they must be equally long." % (name, len(values), other, len(others)))


def _number(name, i, value):
    # A number with six digits, or None where there is nothing to draw (nan, inf, None).
    if value is None:
        return None
    try:
        if isinstance(value, (str, bytes)):
            raise TypeError
        value = float(value)
    except OverflowError:
        raise ValueError("item %d of %s is too large to draw." % (i + 1, name)) from None
    except (TypeError, ValueError):
        raise TypeError("item %d of %s is %s: give a number." % (i + 1, name, _show(value))) from None
    if value != value or value in (float("inf"), float("-inf")):
        return None
    if abs(value) > 1e100:
        raise ValueError("item %d of %s is too large to draw." % (i + 1, name))
    return float("%.6g" % value)


def _numbers(name, values, most):
    return [_number(name, i, value) for i, value in enumerate(_items(name, values, most, "points"))]


def _series(name, values, length, other, most):
    named = isinstance(values, dict)
    if named and not values:
        raise ValueError("%s is empty: give at least one list of numbers." % name)
    if named and len(values) > MAX_SERIES:
        raise ValueError("%s has %d lists; at most %d can be told apart." % (name, len(values), MAX_SERIES))
    out = []
    for key, numbers in values.items() if named else [(None, values)]:
        where = "%s[%s]" % (name, _show(key)) if named else name
        numbers = _numbers(where, numbers, most)
        if len(numbers) != length:
            raise ValueError("%s has %d items, but %s has %d: they must be equally long." % (where, len(numbers), other, length))
        item = {"values": numbers}
        if named:
            item["name"] = _text(key, MAX_TEXT)
        out.append(item)
    return out


def _title(text):
    return None if text is None else _text(text, MAX_TITLE)


def _text(value, most):
    text = " ".join(str(value).split())
    return text if len(text) <= most else text[:most - 1] + "\u2026"


def _cell(value):
    if value is None:
        return None
    if type(value) is int and -10 ** 15 < value < 10 ** 15:
        return value
    if type(value) is float and abs(value) <= 1e100:
        return value
    return _text(value, MAX_CELL)


def _send(record):
    text = _json(record)
    size = len(text.encode("utf-8"))
    if size > MAX_RECORD:
        raise ValueError("this %s is too large to show: %d bytes, at most %d. Show a part of it." % (record["kind"], size, MAX_RECORD))
    sys.stdout.write("\x1e" + text + "\n")


def _json(value):
    # Of what the functions above put together, and no more.
    if value is None:
        return "null"
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, dict):
        # What was not given is not said.
        return "{" + ",".join([_quote(key) + ":" + _json(item) for key, item in value.items() if item is not None]) + "}"
    if isinstance(value, list):
        return "[" + ",".join([_json(item) for item in value]) + "]"
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def _quote(text):
    out = ['"']
    for char in text:
        code = ord(char)
        if char == '"' or char == "\\":
            out.append("\\" + char)
        elif code < 32 or code == 127 or 0xD800 <= code < 0xE000:
            out.append("\ufffd")  # half of a character, or none that can be seen
        else:
            out.append(char)
    return "".join(out) + '"'
