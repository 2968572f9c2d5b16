"""What a list of times comes down to, and how a table of it looks."""

import statistics


def of(times, **bases):
    """Milliseconds in, a row out: median, p10, p99, and a ratio of medians to each base that is named."""
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    median = statistics.median(times)
    row = {"median_ms": round(median, 3), "p10_ms": round(cuts[9], 3), "p99_ms": round(cuts[98], 3)}
    for name, base in bases.items():
        row[f"to_{name}"] = round(median / statistics.median(base), 2)
    return row


def table(times, bases):
    """One row for each list of times; of bases, the names of rows, those that were measured count."""
    known = {name: times[name] for name in bases if times.get(name)}
    return {name: of(values, **known) for name, values in times.items() if values}


def against(row, bare):
    """The row with the difference and the ratio of its median to that of another row."""
    return {**row, "added_ms": round(row["median_ms"] - bare["median_ms"], 3),
            "to_bare": round(row["median_ms"] / bare["median_ms"], 3)}


def cell(value):
    return "-" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def columns_of(measured):
    return list(dict.fromkeys(key for row in measured.values() for key in row))


def show(title, rows):
    """Rows are dicts; a row {"skipped": why} is told below the table."""
    print(f"\n{title}")
    measured = {name: row for name, row in rows.items() if "skipped" not in row}
    columns = columns_of(measured)
    widths = [max(len(column), *(len(cell(row.get(column))) for row in measured.values()))
              for column in columns]
    first = max((len(name) for name in rows), default=0)
    if measured:
        print(" ".join([" " * first, *(f"{name:>{width}}" for name, width in zip(columns, widths))]))
    for name, row in measured.items():
        print(" ".join([f"{name:{first}}", *(f"{cell(row.get(column)):>{width}}"
                                             for column, width in zip(columns, widths))]))
    for name, row in rows.items():
        if "skipped" in row:
            print(f"{name:{first}} skipped: {row['skipped']}")


def show_markdown(title, rows):
    """The same for docs/performance.md, whose text says what the rows are."""
    measured = {name: row for name, row in rows.items() if "skipped" not in row}
    columns = columns_of(measured)
    print(f"\n| {title.split(':')[0]} | {' | '.join(name.replace('_', ' ') for name in columns)} |")
    print("|---" * (len(columns) + 1) + "|")
    for name, row in measured.items():
        print(f"| {name} | {' | '.join(cell(row.get(column)) for column in columns)} |")
    skipped = [f"{name} ({row['skipped']})" for name, row in rows.items() if "skipped" in row]
    if skipped:
        print(f"\nSkipped: {'; '.join(skipped)}.")
